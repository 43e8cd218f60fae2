/** Charts and labelled pictures, drawn without a display. */
package tenon.apps.pictures;
