/** The suite's networks: sizes and numbers of the original experiments as defaults, logits as output. */
package tenon.apps.networks;
