// Tensor-core tiles and asynchronous copies: the only inline PTX of the project, one instruction a function. platform.cuh includes it for
// the GPU; for the emulation it includes host/tile.h, where each function has its twin in C++.
//
// Fragments of mma.m16n8k16 (g = lane / 4, t = lane % 4):
//   A 16×16: a[i] holds row g + 8·(i % 2),       columns 2t + 8·(i / 2) and the next
//   B 16×8 : b[i] holds rows 2t + 8·i and the next, column g
//   C 16×8 : c[i] is row g + 8·(i / 2),           column 2t + i % 2
#pragma once

DEVICE unsigned shared_address(const void* p) { return static_cast<unsigned>(__cvta_generic_to_shared(p)); }

/// 16 bytes to shared memory, or 16 zeros where !valid (then `from` is not read, but must be a mapped address).
DEVICE void copy_async(void* to, const void* from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(to)), "l"(from), "r"(valid ? 16 : 0));
}
DEVICE void copy_commit() { asm volatile("cp.async.commit_group;\n"); }
/// Waits until at most N of this thread's groups are under way.
template <int N> DEVICE void copy_wait() { asm volatile("cp.async.wait_group %0;\n" ::"n"(N)); }

/// Four 8×8 matrices of 16-bit elements; lane 8·i + r gives the address of row r of matrix i.
DEVICE void load_matrix_x4(unsigned (&r)[4], const void* p) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(p)));
}
DEVICE void load_matrix_x4_transposed(unsigned (&r)[4], const void* p) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(p)));
}
DEVICE void load_matrix_x2_transposed(unsigned (&r)[2], const void* p) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];\n" : "=r"(r[0]), "=r"(r[1]) : "r"(shared_address(p)));
}

/// C += A·B, BF16 factors, FP32 sums.
DEVICE void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// Two floats as BF16, `low` in the lower half.
DEVICE unsigned pack_bf16(float low, float high) {
  unsigned r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}

/// 2ˣ, to 2 ulp.
DEVICE float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// A flag that other devices see after everything written before it; reads that wait for it.
DEVICE void store_release(unsigned* p, unsigned v) { asm volatile("st.release.sys.global.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory"); }
DEVICE unsigned load_acquire(const unsigned* p) {
  unsigned v;
  asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(v) : "l"(p) : "memory");
  return v;
}
