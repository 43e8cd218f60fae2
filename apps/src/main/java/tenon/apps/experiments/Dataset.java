package tenon.apps.experiments;

/** What the originals were trained on. */
public enum Dataset {
    /** ILSVRC 2012, the test split being 50 pictures per class of the official training pictures. */
    IMAGENET("ImageNet", 1000),
    /** Validated with the last fifth of the training pictures. */
    MNIST("MNIST", 10),
    CIFAR10("CIFAR-10", 10),
    /** Cats, dogs and pandas in class folders, a quarter of them held out. */
    ANIMALS("animals", 3),
    DOGS_VS_CATS("Dogs vs. Cats", 2);

    private final String title;
    private final int classes;

    Dataset(String title, int classes) {
        this.title = title;
        this.classes = classes;
    }

    public int classes() {
        return classes;
    }

    @Override
    public String toString() {
        return title;
    }
}
