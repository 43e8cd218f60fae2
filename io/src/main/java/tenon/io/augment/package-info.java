/** Random changes of training images, each a function of (seed, epoch, sample). */
package tenon.io.augment;
