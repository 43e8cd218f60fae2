/** The course's experiments as data: what was trained how, and what it reached. */
package tenon.apps.experiments;
