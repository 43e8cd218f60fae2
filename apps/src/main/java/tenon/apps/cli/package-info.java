/** What every command shares: options, output, progress, exit codes and error messages. */
package tenon.apps.cli;
