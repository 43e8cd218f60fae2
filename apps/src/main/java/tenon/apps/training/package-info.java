/** Training and evaluating a network from the command line: what a run is made of, its folder, going on after an interruption. */
package tenon.apps.training;
