package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The real file system, on which operation number {@code failAt} (from 1) goes wrong. */
public final class FaultyFiles implements FileOps {
    public enum Fault {
        /** The operation fails, everything after works: a full disk. */
        ERROR,
        /** The process dies: this operation and all later ones do nothing, a write stops half-way. */
        DEATH,
        /** The machine dies too: what was not synced is cut to half, renames and new files of unsynced folders are undone. */
        POWER_LOSS
    }

    private final int failAt;
    private final Fault fault;
    private int operations;
    private boolean dead;

    private final List<Path> dirty = new ArrayList<>();
    private final Deque<Undo> undo = new ArrayDeque<>();

    private record Undo(Path directory, UndoAction action) {}

    private interface UndoAction {
        void run() throws IOException;
    }

    public FaultyFiles(int failAt, Fault fault) {
        this.failAt = failAt;
        this.fault = fault;
    }

    int operations() {
        return operations;
    }

    private boolean failsNow() throws IOException {
        operations++;
        if (dead) {
            throw new IOException("dead");
        }
        if (operations == failAt) {
            dead = fault != Fault.ERROR;
            return true;
        }
        return false;
    }

    private void operate() throws IOException {
        if (failsNow()) {
            throw new IOException("No space left on device");
        }
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        operate();
        SYSTEM.createDirectory(directory);
        undo.push(new Undo(directory.getParent(), () -> {
            if (Files.exists(directory)) {
                FileTrees.delete(SYSTEM, directory);
            }
        }));
    }

    @Override
    public Output create(Path file) throws IOException {
        operate();
        Output out = SYSTEM.create(file);
        dirty.add(file);
        undo.push(new Undo(file.getParent(), () -> Files.deleteIfExists(file)));
        return new Output() {
            @Override
            public void write(ByteBuffer bytes) throws IOException {
                if (failsNow()) {
                    out.write(bytes.slice(bytes.position(), bytes.remaining() / 2));
                    throw new IOException("No space left on device");
                }
                out.write(bytes);
            }

            @Override
            public void sync() throws IOException {
                operate();
                out.sync();
                dirty.remove(file);
            }

            @Override
            public void close() throws IOException {
                out.close();
            }
        };
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        operate();
        SYSTEM.syncDirectory(directory);
        undo.removeIf(entry -> entry.directory.equals(directory));
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        operate();
        byte[] replaced = Files.isRegularFile(to) ? Files.readAllBytes(to) : null;
        SYSTEM.rename(from, to);
        undo.push(new Undo(to.getParent(), () -> {
            if (Files.exists(to)) {
                Files.move(to, from);
            }
            if (replaced != null) {
                Files.write(to, replaced);
            }
        }));
    }

    @Override
    public void delete(Path path) throws IOException {
        operate();
        SYSTEM.delete(path);
    }

    /** Does to the disk what the power loss does. */
    void losePower() throws IOException {
        for (Path path : dirty) {
            if (Files.exists(path)) {
                try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                    channel.truncate(channel.size() / 2);
                }
            }
        }
        while (!undo.isEmpty()) {
            undo.pop().action.run();
        }
    }
}
