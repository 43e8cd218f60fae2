/** Turns folders of images and IDX files into record files. */
package tenon.io.build;
