#include "execution.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <thread>

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace emulation {
Options options;
thread_local Executor* executor __attribute__((tls_model("initial-exec")));

// ---- Fibers: callee-saved registers on the old stack, its pointer into *save, and on with the other. (ucontext would make a system call.)
extern "C" void emulation_switch(void** save, void* to);
asm(R"(
.text
.globl emulation_switch
.hidden emulation_switch
.type emulation_switch,@function
emulation_switch:
  push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15
  mov %rsp,(%rdi)
  mov %rsi,%rsp
  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp
  ret
)");

static const size_t STACK = 128 * 1024;                  // below each a page that faults

static void body();

static Fiber* fresh(Executor* e) {
  if (!e->idle.empty()) {
    auto f = e->idle.back();
    e->idle.pop_back();
    return f;
  }
  if (!e->stacks) {
    e->stacks = static_cast<char*>(mmap(nullptr, STACK * (MOST_THREADS + 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    for (int i = 0; i <= MOST_THREADS; i++) mprotect(e->stacks + i * STACK, 4096, PROT_NONE);
    e->fibers.reserve(MOST_THREADS + 1);
  }
  char* top = e->stacks + (e->fibers.size() + 1) * STACK;
  auto sp = reinterpret_cast<void**>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t(15));
  *--sp = nullptr;
  *--sp = reinterpret_cast<void*>(body);
  for (int r = 0; r < 6; r++) *--sp = nullptr;
  e->fibers.push_back({sp});
  return &e->fibers.back();
}

// ---- The schedule

static void ready(Executor* e, int t) {
  e->state[t] = State::READY;
  e->ring[e->tail++ % RING] = t;
}

/// The next thread that may go on, by the chosen order; −1 where none may.
static int pop(Executor* e) {
  unsigned n = e->tail - e->head;
  if (n == 0) return -1;
  if (e->order == 0) return e->ring[e->head++ % RING];
  unsigned at = e->tail - 1;
  if (e->order == 2) {
    e->random ^= e->random << 13;
    e->random ^= e->random >> 7;
    e->random ^= e->random << 17;
    at = e->head + e->random % n;
  }
  int t = e->ring[at % RING];
  e->ring[at % RING] = e->ring[(e->tail - 1) % RING];
  e->tail--;
  return t;
}

static void become(Executor* e, int t) {
  e->current = t;
  *e->kernel->self = &e->thread[t];
}

static void release(Executor* e) {
  e->arrived = 0;
  e->barriers++;
  for (int i = 0; i < e->threads; i++) if (e->state[i] == State::AT_BARRIER) ready(e, i);
}

/// The body of every fiber: starts fresh threads until none is left.
static void body() {
  Executor* e = executor;
  for (;;) {
    while (e->next < e->threads) {
      int i = e->next++, t = e->order == 1 ? e->threads - 1 - i : i;
      become(e, t);
      e->fiber[t] = e->running;
      e->kernel->run(e->arguments);
      t = e->current;
      e->state[t] = State::DONE;
      e->copies[t].clear();
      if (--e->alive && e->arrived == e->alive) release(e);
    }
    e->idle.push_back(e->running);
    Fiber* me = e->running;
    int t = pop(e);
    if (t < 0) emulation_switch(&me->stack, e->scheduler);
    else {
      become(e, t);
      e->running = e->fiber[t];
      emulation_switch(&me->stack, e->running->stack);
    }
  }
}

/// The current thread stops until it is made ready; another goes on.
static void block(Executor* e) {
  Fiber* me = e->running;
  if (e->next < e->threads) {
    e->running = fresh(e);
    emulation_switch(&me->stack, e->running->stack);
    return;
  }
  int t = pop(e);
  if (t < 0) { emulation_switch(&me->stack, e->scheduler); return; }
  become(e, t);
  if (e->fiber[t] == me) return;
  e->running = e->fiber[t];
  emulation_switch(&me->stack, e->running->stack);
}

// ---- Blocks

Executor::~Executor() {
  if (stacks) munmap(stacks, STACK * (MOST_THREADS + 1));
  free(shared);
}

void Executor::prepare(const Entry* k, const char* file, const void* bytes, dim3 block, dim3 grid, size_t sharedSize) {
  kernel = k;
  library = file;
  argumentBytes.assign(static_cast<const char*>(bytes), static_cast<const char*>(bytes) + k->bytes);     // pinned by the caller only until the launch returns
  arguments = argumentBytes.data();
  threads = block.x * block.y * block.z;
  failed = illegal = false;
  fault.clear();
  check = options.check;
  order = options.order;
  generation = 0;
  if (sharedCapacity < sharedSize + 256) {
    free(shared);
    sharedCapacity = sharedSize + 256;
    if (posix_memalign(reinterpret_cast<void**>(&shared), 1024, sharedCapacity)) abort();
  }
  sharedBytes = sharedSize;
  if (check) shadow.assign((sharedSize + 1) / 2, {});
  for (int i = 0; i < threads; i++) {
    unsigned u = i;
    thread[i] = {{u % block.x, u / block.x % block.y, u / (block.x * block.y)}, {}, block, grid, u, u & 31, u >> 5, shared, this};
  }
}

bool Executor::run(dim3 blockIdx) {
  alive = threads;
  arrived = next = 0;
  barriers++;
  head = tail = 0;
  for (int i = 0; i < threads; i++) {
    thread[i].blockIdx = blockIdx;
    state[i] = State::NEW;
    copies[i].clear();
    group[i] = 0;
  }
  memset(meetings, 0, sizeof meetings);
  memset(waiting, 0, sizeof waiting);
  memset(shared, 0xff, sharedCapacity);                  // NaN, until something is written
  while (alive && !failed) {
    if (next < threads) running = fresh(this);
    else {
      int t = pop(this);
      if (t < 0) {
        int barrier = -1, warp = -1, atBarrier = 0, atWarp = 0;
        for (int i = 0; i < threads; i++) {
          if (state[i] == State::AT_BARRIER) { atBarrier++; barrier = barrier < 0 ? i : barrier; }
          if (state[i] == State::AT_WARP) { atWarp++; warp = warp < 0 ? i : warp; }
        }
        fault = "divergent barrier: " + std::to_string(atBarrier) + " threads wait at a block barrier, " + std::to_string(atWarp) + " for their warp, "
            + std::to_string(threads - alive) + " have ended";
        if (barrier >= 0) fault += where(this, barrier, place[barrier]);
        if (warp >= 0) fault += where(this, warp, place[warp]);
        failed = true;
        break;
      }
      become(this, t);
      running = fiber[t];
    }
    emulation_switch(&scheduler, running->stack);
  }
  if (failed) {                                          // the stacks are abandoned, and made anew
    fibers.clear();
    idle.clear();
  }
  return !failed;
}

void fail(Executor* e, bool illegal, const std::string& what, void* place) {
  if (!e->failed) {
    e->failed = true;
    e->illegal = illegal;
    e->fault = what + where(e, e->current, place);
  }
  void* nowhere;
  emulation_switch(&nowhere, e->scheduler);
  __builtin_unreachable();
}

std::string where(Executor* e, int t, void* place) {
  auto& x = e->thread[t];
  char b[256];
  snprintf(b, sizeof b, " [kernel %s, block (%u,%u,%u), thread (%u,%u,%u)", e->kernel->name, x.blockIdx.x, x.blockIdx.y, x.blockIdx.z, x.threadIdx.x, x.threadIdx.y, x.threadIdx.z);
  std::string r = b;
  Dl_info info;
  if (place && dladdr(place, &info) && info.dli_fbase) {
    snprintf(b, sizeof b, "addr2line -s -i -e %s 0x%lx 2>/dev/null", e->library, static_cast<unsigned long>(static_cast<char*>(place) - static_cast<char*>(info.dli_fbase) - 1));
    if (FILE* p = popen(b, "r")) {                       // a line for each call that was inlined, innermost first: ours (.h), those of include/ (.cuh), the kernel's (.cu)
      char line[256];
      while (fgets(line, sizeof line, p)) {
        line[strcspn(line, "\n ")] = 0;
        bool header = strstr(line, ".cuh:"), kernel = strstr(line, ".cu:");
        if (header || kernel) r += std::string(", ") + line;
        if (kernel) break;
      }
      pclose(p);
    }
  }
  return r + "]";
}

// ---- What kernels call

EXPORTED void emulation_barrier(Thread* t) {
  auto e = static_cast<Executor*>(t->block);
  int me = t->index;
  e->place[me] = __builtin_return_address(0);
  if (++e->arrived == e->alive) {
    release(e);
    if (e->order == 0) return;
    ready(e, me);
  } else e->state[me] = State::AT_BARRIER;
  block(e);
}

EXPORTED void emulation_yield(Thread* t) {
  auto e = static_cast<Executor*>(t->block);
  if (e->tail == e->head && e->next >= e->threads) std::this_thread::yield();
  ready(e, t->index);
  block(e);
}

EXPORTED void emulation_together(Thread* t, unsigned mask, Together f, void* in, void* out) {
  auto e = static_cast<Executor*>(t->block);
  int me = t->index, first = me & ~31, w = t->warp;
  void* place = __builtin_return_address(0);
  if (!(mask >> t->lane & 1)) fail(e, false, "warp operation: the lane is not in its own mask", place);
  e->in[me] = in;
  e->out[me] = out;
  e->mask[me] = mask;
  e->together[me] = f;
  e->place[me] = place;
  e->state[me] = State::AT_WARP;
  if (++e->waiting[w] < __builtin_popcount(mask)) { block(e); return; }
  unsigned here = 0;
  for (int l = 0; l < 32; l++)
    if (mask >> l & 1) {
      int o = first + l;
      if (o >= e->threads || e->state[o] == State::DONE) fail(e, false, "warp operation: lane " + std::to_string(l) + " of the mask has ended or does not exist", place);
      if (e->state[o] == State::AT_WARP && e->mask[o] == mask) {
        if (e->together[o] != f) fail(e, false, "warp operation: lanes wait at different instructions" + where(e, o, e->place[o]), place);
        here |= 1u << l;
      }
    }
  if (here != mask) { block(e); return; }
  e->meetings[w]++;
  e->waiting[w] -= __builtin_popcount(mask);
  f(mask, e->in + first, e->out + first);
  for (int l = 0; l < 32; l++) if ((mask >> l & 1) && first + l != me) ready(e, first + l);
  if (e->order == 0) e->state[me] = State::READY;
  else {
    ready(e, me);
    block(e);
  }
}

/// The copy lands only when it is waited for; until then its destination is NaN.
EXPORTED void emulation_copy_async(Thread* t, void* to, const void* from, int bytes, int valid) {
  auto e = static_cast<Executor*>(t->block);
  void* place = __builtin_return_address(0);
  auto d = reinterpret_cast<uintptr_t>(to), s = reinterpret_cast<uintptr_t>(from);
  if ((d | (valid ? s : 0)) & (bytes - 1)) fail(e, true, "asynchronous copy: misaligned address", place);
  auto shared = reinterpret_cast<uintptr_t>(e->shared);
  if (d < shared || d + bytes > shared + e->sharedBytes) fail(e, true, "asynchronous copy: out of bounds of shared memory", place);
  if (e->check) {
    accessed(e, d, bytes, true, place);
    if (valid) accessed(e, s, valid, false, place);
  }
  memset(to, 0xff, bytes);
  e->copies[t->index].push_back({to, from, bytes, valid, e->group[t->index]});
}

EXPORTED void emulation_copy_commit(Thread* t) { static_cast<Executor*>(t->block)->group[t->index]++; }

EXPORTED void emulation_copy_wait(Thread* t, int groups) {
  auto e = static_cast<Executor*>(t->block);
  auto& c = e->copies[t->index];
  int limit = e->group[t->index] - groups;
  size_t done = 0;
  for (; done < c.size() && c[done].group < limit; done++) {
    memcpy(c[done].to, c[done].from, c[done].valid);
    memset(static_cast<char*>(c[done].to) + c[done].valid, 0, c[done].bytes - c[done].valid);
  }
  c.erase(c.begin(), c.begin() + done);
}
}
