/** Features of a trained network, and logistic regression on them. */
package tenon.apps.features;
