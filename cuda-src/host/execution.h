// The execution model: a block's threads as fibers of one operating-system thread, switched only where CUDA threads meet.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>
#include "kernel.h"

namespace emulation {

/// What tests turn: see emulation_set in driver.cpp.
struct Options {
  std::atomic<long> order{0};                            // of threads: 0 forward, 1 reverse, 2 shuffled
  std::atomic<long> check{0};                            // memory, race and barrier checks
  std::atomic<long> workers{0};                          // operating-system threads a launch may use; 0: one a core
  std::atomic<long> memory{8L << 30};                    // bytes of a device
  std::atomic<long> devices{8};
  std::atomic<long> launches{1};                         // 0: kernels are not run, so that the cost of asking can be measured
};
extern Options options;

constexpr int MOST_THREADS = 1024, RING = 2 * MOST_THREADS;

enum class State : uint8_t { NEW, READY, AT_BARRIER, AT_WARP, DONE };

struct Fiber { void* stack; };
struct Copy { void* to; const void* from; int bytes, valid, group; };

/// Who touched two bytes of shared memory last: thread + 1 for writes and reads, and the meetings of its warp by then.
struct Shadow { uint32_t barrier; uint16_t writer, reader, writerWarp, readerWarp; };

/// Runs blocks, one at a time.
struct Executor {
  const Entry* kernel = nullptr;
  const char* library = nullptr;                         // the kernel's file, for line numbers
  const void* arguments = nullptr;
  std::vector<char> argumentBytes;
  int threads = 0, alive = 0, arrived = 0, next = 0, current = -1;
  unsigned barriers = 0;                                 // how many the block has passed
  Thread thread[MOST_THREADS];
  State state[MOST_THREADS];
  Fiber* fiber[MOST_THREADS];
  void* place[MOST_THREADS];                             // where in the kernel a waiting thread waits
  unsigned mask[MOST_THREADS];
  Together together[MOST_THREADS];
  void* in[MOST_THREADS];
  void* out[MOST_THREADS];
  std::vector<Copy> copies[MOST_THREADS];
  int group[MOST_THREADS];
  uint16_t meetings[MOST_THREADS / 32];
  uint8_t waiting[MOST_THREADS / 32];
  int ring[RING];                                        // threads that may go on
  unsigned head = 0, tail = 0;
  std::vector<Fiber> fibers;
  std::vector<Fiber*> idle;
  Fiber* running = nullptr;
  char* stacks = nullptr;
  void* scheduler = nullptr;
  char* shared = nullptr;
  size_t sharedBytes = 0, sharedCapacity = 0;
  int order = 0;
  uint64_t random = 88172645463325252ull;
  bool check = false, failed = false, illegal = false;
  std::string fault;
  std::vector<Shadow> shadow;
  uintptr_t low = 0, high = 0;                           // the allocation last touched, and the table's state then
  uint64_t generation = 0;

  ~Executor();
  void prepare(const Entry* kernel, const char* library, const void* arguments, dim3 block, dim3 grid, size_t shared);
  bool run(dim3 block);
};

/// The executor of this operating-system thread.
extern thread_local Executor* executor;

/// Ends the launch: the thread that runs does not go on. `place` is a return address in the kernel, or null.
[[noreturn]] void fail(Executor*, bool illegal, const std::string& what, void* place);

/// " [kernel … block (…) thread (…) at file:line]"
std::string where(Executor*, int thread, void* place);

/// The checks of checks.cpp.
void accessed(Executor*, uintptr_t address, size_t bytes, bool write, void* place);
}
