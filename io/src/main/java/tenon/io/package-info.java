/** Images, augmentation, packed records, dataset builders and importers of foreign formats. */
package tenon.io;
