package tenon.engine.autograd;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import tenon.engine.Tensor;

/** How often ops that a backward pass has yet to visit use each leaf of a graph. */
final class LeafUses {
    private final Map<Tensor, Integer> left = new IdentityHashMap<>();
    private final LeafListener listener;

    LeafUses(Node root, LeafListener listener) {
        this.listener = listener;
        Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Node> open = new ArrayDeque<>();
        seen.add(root);
        open.add(root);
        while (!open.isEmpty()) {
            Node node = open.removeLast();
            for (int i = 0; i < node.inputCount(); i++) {
                Node producer = node.inputNode(i);
                if (producer == null && node.wanted(i)) {
                    left.merge(node.input(i), 1, Integer::sum);
                } else if (producer != null && seen.add(producer)) {
                    open.add(producer);
                }
            }
        }
    }

    void visited(Node node) {
        for (int i = 0; i < node.inputCount(); i++) {
            if (node.inputNode(i) == null && node.wanted(i) && left.merge(node.input(i), -1, Integer::sum) == 0) {
                listener.finished(node.input(i));
            }
        }
    }
}
