/** The first network of the course: a dense net and a small VGG on one's own folder of pictures, and early stopping. */
package tenon.apps.firstnetwork;
