/** What this machine offers and what is missing. */
package tenon.apps.doctor;
