/** JPEG decoding by native libraries, for reading training images quickly. */
package tenon.io.jpeg;
