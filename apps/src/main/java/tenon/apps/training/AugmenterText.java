package tenon.apps.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tenon.io.augment.Augmenter;
import tenon.io.augment.CenterCrop;
import tenon.io.augment.Fill;
import tenon.io.augment.HorizontalFlip;
import tenon.io.augment.MxnetAffine;
import tenon.io.augment.RandomAffine;
import tenon.io.augment.RandomCrop;
import tenon.io.augment.RandomResizedCrop;
import tenon.io.augment.Squash;

/** Augmenters in words, for people. */
final class AugmenterText {
    private AugmenterText() {}

    static String of(List<Augmenter> augmenters) {
        return augmenters.isEmpty()
                ? "nothing"
                : String.join(", ", augmenters.stream().map(AugmenterText::of).toList());
    }

    private static String of(Augmenter augmenter) {
        return switch (augmenter) {
            case RandomCrop(int height, int width, int padding) ->
                "random crop " + height + "x" + width
                        + (padding == 0 ? "" : " of the picture with " + padding + " pixels of black around it");
            case CenterCrop(int height, int width) -> "centre crop " + height + "x" + width;
            case RandomResizedCrop crop ->
                String.format(
                        Locale.ROOT,
                        "random part of %.0f to %.0f %% of the area resized to %dx%d",
                        100 * crop.minArea(),
                        100 * crop.maxArea(),
                        crop.height(),
                        crop.width());
            case Squash(int height, int width) -> "squashed to " + height + "x" + width;
            case HorizontalFlip(double probability) -> mirrored(probability);
            case MxnetAffine affine -> mxnet(affine);
            case RandomAffine affine -> affine(affine);
            default -> augmenter.toString();
        };
    }

    private static String mirrored(double probability) {
        return "mirrored " + percent(probability) + " of the time";
    }

    private static String mxnet(MxnetAffine affine) {
        String turn = affine.rotate() > 0
                ? "turned by " + affine.rotate() + "°"
                : "turned by up to " + affine.maxRotateAngle() + "°";
        String shear = affine.maxShearRatio() > 0 ? " and sheared by up to " + affine.maxShearRatio() : "";
        return turn + shear + " (" + outside(affine.fill()) + ")";
    }

    private static String affine(RandomAffine affine) {
        List<String> parts = new ArrayList<>();
        if (affine.rotationDegrees() > 0) {
            parts.add("turned by up to " + number(affine.rotationDegrees()) + "°");
        }
        if (affine.widthShift() > 0) {
            parts.add("shifted by up to " + percent(affine.widthShift()));
        }
        if (affine.shearRadians() > 0) {
            parts.add("sheared by up to " + affine.shearRadians() + " rad");
        }
        if (affine.zoom() > 0) {
            parts.add("zoomed by up to " + percent(affine.zoom()));
        }
        if (affine.flipProbability() > 0) {
            parts.add(mirrored(affine.flipProbability()));
        }
        return String.join(", ", parts) + " (" + outside(affine.fill()) + ")";
    }

    private static String outside(Fill fill) {
        return switch (fill.mode()) {
            case CONSTANT -> "outside: " + number(fill.value());
            case NEAREST -> "outside: the edge repeated";
            case REFLECT -> "outside: reflected";
            case WRAP -> "outside: the picture again";
        };
    }

    private static String percent(double share) {
        return number(100 * share) + " %";
    }

    private static String number(double value) {
        return String.valueOf((float) value).replaceFirst("\\.0$", "");
    }
}
