package tenon.engine.backend.cuda;

import jcuda.driver.CUfunction;

/**
 * A compiled kernel.
 *
 * @param name for messages
 */
record Kernel(String name, CUfunction function) {}
