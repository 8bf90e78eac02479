// What a library of kernels and the driver share.
#pragma once
#include <cstdint>

namespace emulation {
struct dim3 { unsigned x, y, z; };

/// One CUDA thread of the block in flight.
struct Thread {
  dim3 threadIdx, blockIdx, blockDim, gridDim;
  unsigned index, lane, warp;
  void* shared;                                          // the block's dynamic shared memory
  void* block;                                           // the executor that runs it
};

/// A kernel: what the driver finds under the symbol kernel_<name>.
struct Entry {
  const char* name;
  unsigned bytes;                                        // of the argument struct
  const char* layout;                                    // a letter for each field, see layout.h
  unsigned row;                                          // bytes of a row of its table, where it takes one
  unsigned threads;                                      // the launch bound
  void (*run)(const void* arguments);
  Thread** self;                                         // the library's pointer to the thread that runs
};

/// Work that all lanes of a warp do together, done by the last to arrive: in[l] and out[l] are lane l's operands.
typedef void (*Together)(unsigned mask, void* const in[32], void* const out[32]);
}
