/** Decoding, resizing and encoding of images. */
package tenon.io.image;
