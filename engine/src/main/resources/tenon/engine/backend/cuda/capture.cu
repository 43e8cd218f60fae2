// What recorded steps need.

// Sets bit 0 of *problem if the loss is NaN or infinite.
TENON_KERNEL(guard_finite, const float* loss, int* problem) {
    if (blockIdx.x == 0 && threadIdx.x == 0 && (__float_as_uint(*loss) & 0x7F800000u) == 0x7F800000u) {
        *problem |= 1;
    }
}
