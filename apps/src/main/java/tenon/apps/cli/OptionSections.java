package tenon.apps.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Lists options in {@code --help} section by section: a command's own first, then those of each {@link OptionSection}. */
final class OptionSections {
    private OptionSections() {}

    static void apply(CommandLine commandLine) {
        commandLine.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, OptionSections::text);
        commandLine.getSubcommands().values().forEach(OptionSections::apply);
    }

    private static String text(Help help) {
        Map<String, List<OptionSpec>> sections = new LinkedHashMap<>();
        sections.put("", new ArrayList<>());
        for (OptionSpec option : help.commandSpec().options()) {
            if (!option.hidden()) {
                sections.computeIfAbsent(heading(option), _ -> new ArrayList<>())
                        .add(option);
            }
        }
        if (sections.size() == 1) {
            return help.optionList();
        }
        StringBuilder out = new StringBuilder();
        sections.forEach((heading, options) -> {
            Help.Layout layout = help.createDefaultLayout();
            layout.addOptions(options, help.parameterLabelRenderer());
            out.append(heading.isEmpty() ? "" : "\n" + heading + ":\n").append(layout);
        });
        return out.toString();
    }

    private static String heading(OptionSpec option) {
        Object holder =
                option.userObject() instanceof java.lang.reflect.Member member ? member.getDeclaringClass() : null;
        OptionSection section = holder instanceof Class<?> type ? type.getAnnotation(OptionSection.class) : null;
        return section == null ? "" : section.value();
    }
}
