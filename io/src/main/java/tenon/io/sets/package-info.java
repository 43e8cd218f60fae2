/** Data sets in the layouts in which they are published: ImageNet, CIFAR-10, FER2013's table, image/label files of HDF5. */
package tenon.io.sets;
