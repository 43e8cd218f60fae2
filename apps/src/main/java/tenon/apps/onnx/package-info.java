/** Networks as ONNX files, for other runtimes. */
package tenon.apps.onnx;
