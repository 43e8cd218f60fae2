/**
 * Every operation in obvious loops, F32 and F64, one thread: the definition that the other back-ends are tested against. All arithmetic is done in
 * double and rounded once, when a result is stored.
 */
package tenon.engine.backend.reference;
