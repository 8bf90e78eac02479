// Memory and race checks. Kernels compiled with -fsanitize=thread call __tsan_read4 and so on at every access; no sanitiser library is linked,
// these functions are ours.
#include <cstdio>
#include <dlfcn.h>
#include "execution.h"
#include "memory.h"

namespace emulation {

/// Two bytes of shared memory, the smallest element, may pass between threads only over a barrier, or, within a warp, over a meeting of the warp.
static void race(Executor* e, uintptr_t offset, size_t bytes, bool write, void* place) {
  int t = e->current;
  uint16_t id = t + 1, meetings = e->meetings[t >> 5];
  auto clash = [&](uint16_t other, uint16_t then) { return other && other != id && ((other - 1) >> 5 != t >> 5 || then == meetings); };
  for (uintptr_t w = offset / 2; w <= (offset + bytes - 1) / 2 && w < e->shadow.size(); w++) {
    auto& s = e->shadow[w];
    if (s.barrier != e->barriers) s = {e->barriers, 0, 0, 0, 0};
    bool wrote = clash(s.writer, s.writerWarp);
    if (wrote || (write && clash(s.reader, s.readerWarp))) {
      char b[160];
      snprintf(b, sizeof b, "race in shared memory at byte %lu: %s after thread %d's %s, no barrier between", static_cast<unsigned long>(offset), write ? "write" : "read",
          (wrote ? s.writer : s.reader) - 1, wrote ? "write" : "read");
      fail(e, false, b, place);
    }
    if (write) { s.writer = id; s.writerWarp = meetings; }
    else { s.reader = id; s.readerWarp = meetings; }
  }
}

void accessed(Executor* e, uintptr_t a, size_t bytes, bool write, void* place) {
  auto within = [&](const void* from, size_t size) { return a - reinterpret_cast<uintptr_t>(from) < size; };
  if (within(e->shared, e->sharedCapacity)) {
    uintptr_t offset = a - reinterpret_cast<uintptr_t>(e->shared);
    if (offset + bytes > e->sharedBytes) {
      char b[160];
      snprintf(b, sizeof b, "out-of-bounds %s of %zu bytes at byte %lu of %zu of shared memory", write ? "write" : "read", bytes, static_cast<unsigned long>(offset), e->sharedBytes);
      fail(e, true, b, place);
    }
    race(e, offset, bytes, write, place);
    return;
  }
  if (a >= e->low && a + bytes <= e->high && e->generation == generation) return;
  if (within(e->stacks, 128 * 1024 * (MOST_THREADS + 1)) || within(e->kernel->self, sizeof(void*)) || within(e, sizeof *e) || within(e->arguments, e->kernel->bytes)) return;
  uintptr_t low, high;
  uint64_t now = generation;
  if (find(a, low, high) && a + bytes <= high) {
    e->low = low;
    e->high = high;
    e->generation = now;
    return;
  }
  Dl_info info;
  if (!write && dladdr(reinterpret_cast<void*>(a), &info) && info.dli_fbase) return;                    // constants of the library
  char b[160];
  snprintf(b, sizeof b, "out-of-bounds %s of %zu bytes at 0x%lx of global memory", write ? "write" : "read", bytes, static_cast<unsigned long>(a));
  fail(e, true, b, place);
}
}

#define EXPORTED extern "C" __attribute__((visibility("default")))
static inline void hook(const volatile void* p, size_t bytes, bool write, void* place) {
  auto e = emulation::executor;
  if (e && e->check) emulation::accessed(e, reinterpret_cast<uintptr_t>(p), bytes, write, place);
}
#define HOOKS(n) \
  EXPORTED void __tsan_read##n(void* p) { hook(p, n, false, __builtin_return_address(0)); } \
  EXPORTED void __tsan_write##n(void* p) { hook(p, n, true, __builtin_return_address(0)); } \
  EXPORTED void __tsan_unaligned_read##n(void* p) { hook(p, n, false, __builtin_return_address(0)); } \
  EXPORTED void __tsan_unaligned_write##n(void* p) { hook(p, n, true, __builtin_return_address(0)); }
HOOKS(1) HOOKS(2) HOOKS(4) HOOKS(8) HOOKS(16)
EXPORTED void __tsan_read_range(void* p, size_t n) { hook(p, n, false, __builtin_return_address(0)); }
EXPORTED void __tsan_write_range(void* p, size_t n) { hook(p, n, true, __builtin_return_address(0)); }
EXPORTED void __tsan_init() {}
EXPORTED void __tsan_func_entry(void*) {}
EXPORTED void __tsan_func_exit() {}
EXPORTED void __tsan_vptr_update(void**, void*) {}
EXPORTED void __tsan_vptr_read(void**) {}
EXPORTED uint32_t __tsan_atomic32_load(const volatile uint32_t* p, int) { hook(p, 4, false, __builtin_return_address(0)); return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
EXPORTED void __tsan_atomic32_store(volatile uint32_t* p, uint32_t v, int) { hook(p, 4, true, __builtin_return_address(0)); __atomic_store_n(p, v, __ATOMIC_SEQ_CST); }
EXPORTED void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
