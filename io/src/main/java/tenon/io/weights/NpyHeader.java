package tenon.io.weights;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Header of NumPy's {@code .npy} format (NEP 1): the magic string, a version, the length of a Python dictionary, and that dictionary with the keys {@code
 * descr}, {@code fortran_order} and {@code shape}.
 *
 * @param byteSize of the header itself
 */
record NpyHeader(ElementType type, ByteOrder order, boolean fortranOrder, long[] dims, int byteSize) {
    /** NumPy's own limit for headers that it does not trust is 10,000. */
    private static final int LONGEST = 1 << 16;

    private static final Map<String, ElementType> TYPES = Map.of(
            "b1", ElementType.BOOL,
            "u1", ElementType.U8,
            "i1", ElementType.I8,
            "i2", ElementType.I16,
            "i4", ElementType.I32,
            "i8", ElementType.I64,
            "f2", ElementType.F16,
            "f4", ElementType.F32,
            "f8", ElementType.F64);

    /** What is wrong with a header; the caller says where. */
    static final class BadHeader extends Exception {
        private static final long serialVersionUID = 1L;

        BadHeader(String message) {
            super(message);
        }
    }

    static NpyHeader read(InputStream in) throws IOException, BadHeader {
        byte[] start = exactly(in, 8);
        if ((start[0] & 0xFF) != 0x93 || !new String(start, 1, 5, StandardCharsets.ISO_8859_1).equals("NUMPY")) {
            throw new BadHeader("is no .npy array: it must begin with \\x93NUMPY");
        }
        int version = start[6];
        if (version < 1 || version > 3) {
            throw new BadHeader("has an unknown version of .npy: version=" + version);
        }
        int lengthBytes = version == 1 ? 2 : 4;
        byte[] word = exactly(in, lengthBytes);
        long length = 0;
        for (int i = 0; i < lengthBytes; i++) {
            length |= (word[i] & 0xFFL) << (8 * i);
        }
        if (length > LONGEST) {
            throw new BadHeader("has a header of more than " + LONGEST + " bytes: length=" + length);
        }
        String text = new String(exactly(in, (int) length), StandardCharsets.UTF_8);
        return new Dictionary(text).header(8 + lengthBytes + (int) length);
    }

    private static byte[] exactly(InputStream in, int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("it ends inside its header");
        }
        return bytes;
    }

    /** The one kind of Python literal that a header may be. */
    private static final class Dictionary {
        private final String text;
        private int at;
        private String descr;
        private Boolean fortran;
        private long[] shape;

        Dictionary(String text) {
            this.text = text;
        }

        NpyHeader header(int byteSize) throws BadHeader {
            expect('{');
            while (!accept('}')) {
                entry();
                if (!accept(',')) {
                    expect('}');
                    break;
                }
            }
            skipSpace();
            if (at != text.length() || descr == null || fortran == null || shape == null) {
                throw bad();
            }
            String problem = ArrayShapes.problem(shape);
            if (problem != null) {
                throw new BadHeader(problem);
            }
            char order = descr.isEmpty() ? ' ' : descr.charAt(0);
            ElementType type = "<>|=".indexOf(order) < 0 ? null : TYPES.get(descr.substring(1));
            if (type == null) {
                throw new BadHeader("has elements of a type that weights cannot have: descr='" + descr + "'");
            }
            return new NpyHeader(
                    type,
                    order == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN,
                    fortran,
                    shape.clone(),
                    byteSize);
        }

        private void entry() throws BadHeader {
            String key = string();
            expect(':');
            switch (key) {
                case "descr" -> descr = string();
                case "fortran_order" -> fortran = truth();
                case "shape" -> shape = tuple();
                default -> throw bad();
            }
        }

        private String string() throws BadHeader {
            skipSpace();
            char quote = at < text.length() ? text.charAt(at) : ' ';
            int end = quote == '\'' || quote == '"' ? text.indexOf(quote, at + 1) : -1;
            if (end < 0) {
                throw bad();
            }
            String value = text.substring(at + 1, end);
            at = end + 1;
            return value;
        }

        private boolean truth() throws BadHeader {
            skipSpace();
            for (String word : List.of("True", "False")) {
                if (text.startsWith(word, at)) {
                    at += word.length();
                    return word.equals("True");
                }
            }
            throw bad();
        }

        private long[] tuple() throws BadHeader {
            List<Long> values = new ArrayList<>();
            expect('(');
            while (!accept(')')) {
                values.add(number());
                if (!accept(',')) {
                    expect(')');
                    break;
                }
            }
            return values.stream().mapToLong(Long::longValue).toArray();
        }

        private long number() throws BadHeader {
            skipSpace();
            int start = at;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                at++;
            }
            if (at == start || at - start > 18) {
                throw bad();
            }
            long value = Long.parseLong(text.substring(start, at));
            // Python 2 wrote long integers so.
            accept('L');
            return value;
        }

        private void expect(char c) throws BadHeader {
            if (!accept(c)) {
                throw bad();
            }
        }

        private boolean accept(char c) {
            skipSpace();
            if (at < text.length() && text.charAt(at) == c) {
                at++;
                return true;
            }
            return false;
        }

        private void skipSpace() {
            while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\n')) {
                at++;
            }
        }

        private BadHeader bad() {
            return new BadHeader("has a damaged header at character " + at + ": "
                    + (text.length() > 200 ? text.substring(0, 200) + "…" : text.strip()));
        }
    }
}
