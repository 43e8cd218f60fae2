package tenon.engine;

/** Where a tensor's memory lives. */
public sealed interface Device {
    Device CPU = new Cpu();
    /** No memory at all: shapes only. */
    Device NONE = new None();

    record Cpu() implements Device {
        @Override
        public String toString() {
            return "cpu";
        }
    }

    record None() implements Device {
        @Override
        public String toString() {
            return "none";
        }
    }

    record Cuda(int index) implements Device {
        @Override
        public String toString() {
            return "cuda:" + index;
        }
    }
}
