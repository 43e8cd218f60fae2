/** The quickstart: Fashion-MNIST from nothing to a trained, evaluated network with one command. */
package tenon.apps.quickstart;
