/** The command line and the training programs of the chapters and case studies. */
package tenon.apps;
