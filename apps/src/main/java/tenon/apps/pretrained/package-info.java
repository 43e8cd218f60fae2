/** Weights from other frameworks and for them: which tensor is which, and in which order its elements stand. */
package tenon.apps.pretrained;
