package tenon.apps.pretrained;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How one framework calls the layers of one family of networks. A map is a text file among this package's resources:
 *
 * <pre>
 * # a comment
 * names: torchvision timm                     what it may be called on the command line
 * networks: resnet18 resnet50                 or *
 * convention: torch                           see {@link Convention}
 * residuals: torchvision                      how the network must be built, and how pictures are prepared: see {@link MapSettings}
 *
 * conv1_1 -> conv1                            layer here -> layer there
 * stage{s}.unit{u}.bn{i} -> layer{s}.{u-1}.bn{i}
 * fc -> Logits|predictions                    the first of these that is there
 * [conv] -> convolution#                      all layers of a kind, in order -> those of the file with a number at the #, in order
 * * -> *                                      all other layers have the same name there
 * ignore: AuxLogits.*                         arrays that no layer here needs
 * </pre>
 */
final class NameMap {
    private static final List<String> FILES = List.of(
            "tenon.map",
            "resnet-torchvision.map",
            "resnet-mxnet.map",
            "resnet-keras.map",
            "vgg16-torchvision.map",
            "vgg16-timm.map",
            "vgg16-mxnet.map",
            "vgg16-original.map",
            "vgg16-keras.map",
            "squeezenet-torchvision.map",
            "mobilenet-v1-keras.map",
            "mobilenet-v1-timm.map",
            "mobilenet-v2-torchvision.map",
            "mobilenet-v2-timm.map",
            "mobilenet-v2-keras.map",
            "mxnet-numbered.map",
            "keras-numbered.map");

    private static final Pattern SETTING = Pattern.compile("([a-z-]+):\\s*(.*)");
    private static final Pattern LAYER = Pattern.compile("(\\S+)\\s+->\\s+(\\S+)");
    private static final Pattern KIND = Pattern.compile("\\[(conv|depthwise|dense|norm|prelu)]");
    private static final Pattern VARIABLE = Pattern.compile("\\{([a-z])([+-]\\d+)?}");
    private static final int MOST_DIGITS = 9;

    private final String file;
    private final List<String> names = new ArrayList<>();
    private final List<String> networks = new ArrayList<>();
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final List<Rule> rules = new ArrayList<>();
    private final Map<NumberedKind, Pattern> numbered = new EnumMap<>(NumberedKind.class);
    private final List<Pattern> ignored = new ArrayList<>();
    private Convention convention;
    private boolean sameNames;

    /** What a map can count. */
    private enum NumberedKind {
        CONV,
        DEPTHWISE,
        DENSE,
        NORM,
        PRELU
    }

    /**
     * @param here matches a layer's name; group i is variable i
     * @param variables one letter each
     */
    private record Rule(Pattern here, String variables, String there) {
        Optional<String> apply(String layer) {
            Matcher matcher = here.matcher(layer);
            if (!matcher.matches()) {
                return Optional.empty();
            }
            StringBuilder out = new StringBuilder();
            Matcher variable = VARIABLE.matcher(there);
            while (variable.find()) {
                int value = Integer.parseInt(matcher.group(variables.indexOf(variable.group(1)) + 1));
                int shift = variable.group(2) == null ? 0 : Integer.parseInt(variable.group(2));
                variable.appendReplacement(out, Integer.toString(value + shift));
            }
            return Optional.of(variable.appendTail(out).toString());
        }
    }

    private NameMap(String file, List<String> lines) {
        this.file = file;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (!line.isEmpty() && !line.startsWith("#")) {
                line(line, i + 1);
            }
        }
        if (names.isEmpty() || networks.isEmpty() || convention == null) {
            throw new IllegalStateException("name map " + file + ": must say names, networks and convention");
        }
    }

    /** All maps, the most particular first. */
    static List<NameMap> all() {
        return FILES.stream().map(NameMap::load).toList();
    }

    /** The maps for a network. */
    static List<NameMap> of(String network) {
        return all().stream().filter(map -> map.isFor(network)).toList();
    }

    private static NameMap load(String file) {
        try (InputStream in = NameMap.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("name map " + file + ": is not on the class path");
            }
            return parse(
                    file,
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                            .lines()
                            .toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static NameMap parse(String file, List<String> lines) {
        return new NameMap(file, lines);
    }

    private void line(String line, int number) {
        Matcher layer = LAYER.matcher(line);
        Matcher setting = SETTING.matcher(line);
        if (layer.matches()) {
            rule(layer.group(1), layer.group(2), number);
        } else if (setting.matches()) {
            setting(setting.group(1), setting.group(2).strip());
        } else {
            throw new IllegalStateException("name map " + file + ": line " + number
                    + " is neither 'setting: value' nor 'layer -> layer': " + line);
        }
    }

    private void setting(String key, String value) {
        List<String> words = Arrays.asList(value.split("\\s+"));
        switch (key) {
            case "names" -> names.addAll(words);
            case "networks" -> networks.addAll(words);
            case "convention" -> convention = Convention.valueOf(value.toUpperCase(Locale.ROOT));
            case "ignore" ->
                words.forEach(word -> ignored.add(Pattern.compile(
                        Arrays.stream(word.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*")))));
            default -> settings.put(key, value);
        }
    }

    private void rule(String here, String there, int number) {
        Matcher kind = KIND.matcher(here);
        if (here.equals("*") && there.equals("*")) {
            sameNames = true;
            return;
        }
        if (kind.matches()) {
            // No number at all comes first: conv2d, conv2d_1, conv2d_2.
            numbered.put(
                    NumberedKind.valueOf(kind.group(1).toUpperCase(Locale.ROOT)),
                    Pattern.compile(Pattern.quote(there).replace("#", "\\E_?(\\d{0," + MOST_DIGITS + "})\\Q")));
            return;
        }
        StringBuilder pattern = new StringBuilder();
        StringBuilder variables = new StringBuilder();
        Matcher variable = VARIABLE.matcher(here);
        int end = 0;
        while (variable.find()) {
            if (variable.group(2) != null) {
                throw new IllegalStateException(
                        "name map " + file + ": line " + number + " may only shift a number on the right");
            }
            pattern.append(Pattern.quote(here.substring(end, variable.start())));
            pattern.append("(\\d{1," + MOST_DIGITS + "})");
            variables.append(variable.group(1));
            end = variable.end();
        }
        pattern.append(Pattern.quote(here.substring(end)));
        rules.add(new Rule(Pattern.compile(pattern.toString()), variables.toString(), there));
    }

    /** The name in messages. */
    String name() {
        return names.getFirst();
    }

    List<String> names() {
        return names;
    }

    List<String> networks() {
        return networks;
    }

    Convention convention() {
        return convention;
    }

    /** Settings other than those above, by their keys. */
    Map<String, String> settings() {
        return settings;
    }

    boolean isFor(String network) {
        return networks.contains("*") || networks.contains(network);
    }

    boolean ignores(String array) {
        return ignored.stream().anyMatch(pattern -> pattern.matcher(array).matches());
    }

    /**
     * What the network's layers are called in a file, by their paths; without those that the map has no name for.
     *
     * @param arrays names of the file's arrays, from which numbered layers are counted; empty counts from 0
     */
    Map<String, String> layers(List<NetworkLayers.Layer> layers, Collection<String> arrays) {
        Map<NumberedKind, List<String>> found = new EnumMap<>(NumberedKind.class);
        numbered.forEach((kind, pattern) -> found.put(kind, counted(pattern, arrays)));
        Map<NumberedKind, Integer> used = new EnumMap<>(NumberedKind.class);
        Map<String, String> names = new LinkedHashMap<>();
        for (NetworkLayers.Layer layer : layers) {
            Optional<String> name = rules.stream()
                    .map(rule -> rule.apply(layer.path()))
                    .flatMap(Optional::stream)
                    .findFirst();
            NumberedKind kind = kind(layer);
            if (name.isPresent()) {
                names.put(layer.path(), present(name.get(), arrays));
            } else if (sameNames) {
                names.put(layer.path(), layer.path());
            } else if (numbered.containsKey(kind)) {
                int place = used.merge(kind, 1, Integer::sum) - 1;
                if (place < found.get(kind).size()) {
                    names.put(layer.path(), found.get(kind).get(place));
                }
            }
        }
        return names;
    }

    /** Of alternatives the first that the file has. */
    private String present(String alternatives, Collection<String> arrays) {
        String[] choices = alternatives.split("\\|");
        return Arrays.stream(choices)
                .filter(choice -> convention.suffixes().stream().anyMatch(suffix -> arrays.contains(choice + suffix)))
                .findFirst()
                .orElse(choices[0]);
    }

    private NumberedKind kind(NetworkLayers.Layer layer) {
        return switch (layer.kind()) {
            case CONV ->
                layer.depthwise() && numbered.containsKey(NumberedKind.DEPTHWISE)
                        ? NumberedKind.DEPTHWISE
                        : NumberedKind.CONV;
            case DENSE -> NumberedKind.DENSE;
            case NORM -> NumberedKind.NORM;
            case PRELU -> NumberedKind.PRELU;
        };
    }

    /** Names of layers that match, in the order of their numbers. */
    private List<String> counted(Pattern pattern, Collection<String> arrays) {
        Set<String> suffixes = convention.suffixes();
        record Numbered(String name, int number) {}
        return arrays.stream()
                .flatMap(array -> suffixes.stream()
                        .filter(array::endsWith)
                        .map(suffix -> array.substring(0, array.length() - suffix.length())))
                .distinct()
                .map(pattern::matcher)
                .filter(Matcher::matches)
                .map(match ->
                        new Numbered(match.group(), match.group(1).isEmpty() ? -1 : Integer.parseInt(match.group(1))))
                .sorted(Comparator.comparingInt(Numbered::number))
                .map(Numbered::name)
                .toList();
    }

    @Override
    public String toString() {
        return file;
    }
}
