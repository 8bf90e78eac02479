// The C++ twins of include/tile.cuh: what each instruction means, by the fragment layouts of the PTX manual.

DEVICE void copy_async(void* to, const void* from, bool valid) { emulation::emulation_copy_async(emulation::self, to, from, 16, valid ? 16 : 0); }
DEVICE void copy_commit() { emulation::emulation_copy_commit(emulation::self); }
template <int N> DEVICE void copy_wait() { emulation::emulation_copy_wait(emulation::self, N); }

namespace emulation {
/// Row r of matrix i comes from the address of lane 8·i + r; lane l receives elements (l / 4, 2·(l % 4)) and the next, or of the transpose.
template <int MATRICES, bool TRANSPOSED> inline void load_matrix(unsigned* r, const void* p) {
  emulation_together(self, 0xffffffffu, [](unsigned, void* const in[32], void* const out[32]) {
    for (int i = 0; i < MATRICES; i++)
      for (int l = 0; l < 32; l++) {
        uint16_t e[2];
        for (int k = 0; k < 2; k++) {
          int row = TRANSPOSED ? 2 * (l % 4) + k : l / 4, column = TRANSPOSED ? l / 4 : 2 * (l % 4) + k;
          e[k] = static_cast<const uint16_t*>(in[8 * i + row])[column];
        }
        memcpy(static_cast<unsigned*>(out[l]) + i, e, 4);
      }
  }, const_cast<void*>(p), r);
}

struct Factors { const unsigned* a; const unsigned* b; };

inline void multiply_add_together(unsigned, void* const in[32], void* const out[32]) {
  float A[16][16], B[16][8], C[16][8];
  for (int l = 0; l < 32; l++) {
    int g = l >> 2, t = l & 3;
    const unsigned *a = static_cast<Factors*>(in[l])->a, *b = static_cast<Factors*>(in[l])->b;
    const float* c = static_cast<float*>(out[l]);
    for (int i = 0; i < 4; i++) {
      int row = g + (i & 1) * 8, k = t * 2 + (i >> 1) * 8;
      A[row][k] = bf16_to_float(a[i] & 0xffff);
      A[row][k + 1] = bf16_to_float(a[i] >> 16);
    }
    for (int i = 0; i < 2; i++) {
      int k = t * 2 + i * 8;
      B[k][g] = bf16_to_float(b[i] & 0xffff);
      B[k + 1][g] = bf16_to_float(b[i] >> 16);
    }
    for (int i = 0; i < 4; i++) C[g + (i >> 1) * 8][t * 2 + (i & 1)] = c[i];
  }
  for (int i = 0; i < 16; i++)
    for (int k = 0; k < 16; k++)
      for (int j = 0; j < 8; j++) C[i][j] += A[i][k] * B[k][j];
  for (int l = 0; l < 32; l++)
    for (int i = 0; i < 4; i++) static_cast<float*>(out[l])[i] = C[(l >> 2) + (i >> 1) * 8][(l & 3) * 2 + (i & 1)];
}
}

DEVICE void load_matrix_x4(unsigned (&r)[4], const void* p) { emulation::load_matrix<4, false>(r, p); }
DEVICE void load_matrix_x4_transposed(unsigned (&r)[4], const void* p) { emulation::load_matrix<4, true>(r, p); }
DEVICE void load_matrix_x2_transposed(unsigned (&r)[2], const void* p) { emulation::load_matrix<2, true>(r, p); }

DEVICE void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulation::Factors f{a, b};
  emulation::emulation_together(emulation::self, 0xffffffffu, emulation::multiply_add_together, &f, c);
}

DEVICE unsigned pack_bf16(float low, float high) { return float_to_bf16(low) | static_cast<unsigned>(float_to_bf16(high)) << 16; }
DEVICE float exp2_fast(float x) { return exp2f(x); }

DEVICE void store_release(unsigned* p, unsigned v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
/// The yield keeps a thread that waits for a flag from starving the one that will raise it.
DEVICE unsigned load_acquire(const unsigned* p) {
  emulation::emulation_yield(emulation::self);
  return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
