/** Drawn pictures in the file layouts of real data sets: for tests, demonstrations and machines without the data. */
package tenon.io.synth;
