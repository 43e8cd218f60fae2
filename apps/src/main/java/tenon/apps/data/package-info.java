/** Data sets at the command line: building record files from what people have, and looking into them. */
package tenon.apps.data;
