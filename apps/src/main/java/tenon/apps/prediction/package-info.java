/** Asking a trained network about pictures: from the command line, and from programs with many threads. */
package tenon.apps.prediction;
