// libcuda.so.1: the part of the CUDA driver that we call, over the execution model. Everything runs at once; streams and events only keep order.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include "execution.h"
#include "memory.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))
using namespace emulation;
typedef int Result;
typedef uint64_t Address;
enum : Result { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, DEVICE_UNAVAILABLE = 46, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, PEER_ALREADY = 704,
  NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, LAUNCH_FAILED = 719, NOT_SUPPORTED = 801 };

// ---- Memory

static std::mutex memoryLock;
struct Allocation { size_t bytes; int device; };         // −1: pinned host memory
static std::map<uintptr_t, Allocation> allocations;
static size_t held[64];
namespace emulation {
std::atomic<uint64_t> generation{1};
bool find(uintptr_t a, uintptr_t& low, uintptr_t& high) {
  std::lock_guard<std::mutex> l(memoryLock);
  auto it = allocations.upper_bound(a);
  if (it == allocations.begin()) return false;
  --it;
  if (a >= it->first + it->second.bytes) return false;
  low = it->first;
  high = low + it->second.bytes;
  return true;
}
}

static thread_local int device = -1;                     // of the current context
static thread_local std::string message;                 // of the last failure, for cuGetErrorString
static Result broken[64];                                // a fault stays until the context is reset
static std::atomic<long> lost{-1};

static Result usable() {
  if (device < 0) return INVALID_CONTEXT;
  return lost == device ? DEVICE_UNAVAILABLE : broken[device];
}
#define CHECK_USABLE() do { if (Result r = usable()) return r; } while (0)

static Result allocate(void** p, size_t n, int on) {
  if (n == 0) return INVALID_VALUE;
  std::lock_guard<std::mutex> l(memoryLock);
  if (on >= 0 && held[on] + n > static_cast<size_t>(options.memory)) return OUT_OF_MEMORY;
  if (posix_memalign(p, 512, n)) return OUT_OF_MEMORY;
  memset(*p, 0xff, n);                                   // NaN, until something is written
  allocations[reinterpret_cast<uintptr_t>(*p)] = {n, on};
  if (on >= 0) held[on] += n;
  generation++;
  return SUCCESS;
}

static Result release(uintptr_t p) {
  if (p == 0) return SUCCESS;
  {
    std::lock_guard<std::mutex> l(memoryLock);
    auto it = allocations.find(p);
    if (it == allocations.end()) return INVALID_VALUE;
    if (it->second.device >= 0) held[it->second.device] -= it->second.bytes;
    allocations.erase(it);
    generation++;
  }
  free(reinterpret_cast<void*>(p));
  return SUCCESS;
}

static bool inside(Address p, size_t n) {
  uintptr_t low, high;
  return n == 0 || (find(p, low, high) && p + n <= high);
}

EXPORTED Result cuMemAlloc_v2(Address* p, size_t n) { CHECK_USABLE(); return allocate(reinterpret_cast<void**>(p), n, device); }
EXPORTED Result cuMemFree_v2(Address p) { return release(p); }
EXPORTED Result cuMemAllocHost_v2(void** p, size_t n) { return allocate(p, n, -1); }
EXPORTED Result cuMemHostAlloc(void** p, size_t n, unsigned) { return allocate(p, n, -1); }
EXPORTED Result cuMemHostGetDevicePointer_v2(Address* d, void* p, unsigned) { *d = reinterpret_cast<Address>(p); return SUCCESS; }
EXPORTED Result cuMemFreeHost(void* p) { return release(reinterpret_cast<uintptr_t>(p)); }
EXPORTED Result cuMemGetInfo_v2(size_t* free, size_t* total) {
  CHECK_USABLE();
  std::lock_guard<std::mutex> l(memoryLock);
  *total = options.memory;
  *free = *total > held[device] ? *total - held[device] : 0;
  return SUCCESS;
}
EXPORTED Result cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t n, void*) { CHECK_USABLE(); if (!inside(to, n)) return INVALID_VALUE; memcpy(reinterpret_cast<void*>(to), from, n); return SUCCESS; }
EXPORTED Result cuMemcpyDtoHAsync_v2(void* to, Address from, size_t n, void*) { CHECK_USABLE(); if (!inside(from, n)) return INVALID_VALUE; memcpy(to, reinterpret_cast<void*>(from), n); return SUCCESS; }
EXPORTED Result cuMemcpyDtoDAsync_v2(Address to, Address from, size_t n, void*) {
  CHECK_USABLE();
  if (!inside(to, n) || !inside(from, n)) return INVALID_VALUE;
  memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), n);
  return SUCCESS;
}
EXPORTED Result cuMemsetD8Async(Address to, unsigned char v, size_t n, void*) { CHECK_USABLE(); if (!inside(to, n)) return INVALID_VALUE; memset(reinterpret_cast<void*>(to), v, n); return SUCCESS; }

// ---- Devices and contexts

static bool exists(int d) { return d >= 0 && d < options.devices && d < 64; }
static void* context(int d) { return reinterpret_cast<void*>(static_cast<intptr_t>(0x1000 + d)); }

EXPORTED Result cuInit(unsigned) { return SUCCESS; }
EXPORTED Result cuDriverGetVersion(int* v) { *v = 13000; return SUCCESS; }
EXPORTED Result cuDeviceGetCount(int* n) { *n = static_cast<int>(options.devices); return SUCCESS; }
EXPORTED Result cuDeviceGet(int* d, int i) { if (!exists(i)) return INVALID_DEVICE; *d = i; return SUCCESS; }
EXPORTED Result cuDeviceGetName(char* s, int n, int d) { if (!exists(d)) return INVALID_DEVICE; snprintf(s, n, "emulated on the CPU"); return SUCCESS; }
EXPORTED Result cuDeviceTotalMem_v2(size_t* n, int) { *n = options.memory; return SUCCESS; }
EXPORTED Result cuDeviceGetAttribute(int* v, int attribute, int d) {
  if (!exists(d)) return INVALID_DEVICE;
  switch (attribute) {
    case 1: *v = 1024; break;                            // threads a block
    case 8: *v = 48 * 1024; break;                       // shared memory a block
    case 10: *v = 32; break;                             // lanes a warp
    case 16: *v = 8; break;                              // multiprocessors: few, so that grids by their number stay small
    case 39: *v = 2048; break;                           // threads a multiprocessor
    case 75: *v = 9; break;                              // compute capability 9.0
    case 76: *v = 0; break;
    case 97: *v = 227 * 1024; break;                     // shared memory a block may ask for
    default: *v = 0;
  }
  return SUCCESS;
}
EXPORTED Result cuDevicePrimaryCtxRetain(void** c, int d) { if (!exists(d)) return INVALID_DEVICE; *c = context(d); return SUCCESS; }
EXPORTED Result cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
EXPORTED Result cuDevicePrimaryCtxReset_v2(int d) { if (!exists(d)) return INVALID_DEVICE; broken[d] = SUCCESS; return SUCCESS; }
EXPORTED Result cuCtxSetCurrent(void* c) { device = c ? static_cast<int>(reinterpret_cast<intptr_t>(c) - 0x1000) : -1; return SUCCESS; }
EXPORTED Result cuCtxSynchronize() { return usable(); }
EXPORTED Result cuDeviceCanAccessPeer(int* v, int, int) { *v = 1; return SUCCESS; }
EXPORTED Result cuCtxEnablePeerAccess(void*, unsigned) { return SUCCESS; }

// ---- Modules: the image is any; what runs are the libraries beside this one. PTX text is read for the sizes of the kernels' parameters.

struct Library {                                         // one build of the kernels, as many copies of it as executors are at work
  std::string path;
  std::mutex lock;
  std::vector<void*> idle;
  std::string bytes;

  bool read() {
    FILE* f = fopen(path.c_str(), "rb");
    if (!f) return false;
    char b[65536];
    for (size_t n; (n = fread(b, 1, sizeof b, f)) > 0;) bytes.append(b, n);
    fclose(f);
    return true;
  }
  /// A copy under a name of its own, so that its variables are its own.
  void* acquire() {
    {
      std::lock_guard<std::mutex> l(lock);
      if (!idle.empty()) { void* h = idle.back(); idle.pop_back(); return h; }
      if (bytes.empty() && !read()) { message = "cannot read " + path; return nullptr; }
    }
    int fd = memfd_create("kernels", MFD_CLOEXEC);       // stays open: the loader tells copies apart by their inode
    if (fd < 0 || write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) { message = "cannot copy " + path; return nullptr; }
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    void* h = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!h) message = dlerror();
    return h;
  }
  void put(void* h) { std::lock_guard<std::mutex> l(lock); idle.push_back(h); }
};

struct Module { std::string ptx; };
struct Function { std::string symbol; const Entry* entry; size_t shared = 48 * 1024; };
static Library plain, checked;

static const Entry* entry(void* library, const std::string& symbol) { return static_cast<const Entry*>(dlsym(library, symbol.c_str())); }

static std::string folder() {
  Dl_info info;
  dladdr(reinterpret_cast<void*>(&folder), &info);
  std::string s = info.dli_fname;
  return s.substr(0, s.rfind('/'));
}

EXPORTED Result cuModuleLoadData(Module** out, const void* image) {
  CHECK_USABLE();
  auto m = new Module;
  if (strncmp(static_cast<const char*>(image), "//", 2) == 0) m->ptx = static_cast<const char*>(image);
  static std::once_flag once;
  std::call_once(once, [] { plain.path = folder() + "/libkernels.so"; checked.path = folder() + "/libkernels-checked.so"; });
  *out = m;
  return SUCCESS;
}
EXPORTED Result cuModuleLoadDataEx(Module** out, const void* image, unsigned, int*, void**) { return cuModuleLoadData(out, image); }
EXPORTED Result cuModuleLoadFatBinary(Module** out, const void* image) { return cuModuleLoadData(out, image); }

/// The size of a kernel's one parameter in PTX text; −1 where the text has no such kernel.
static long ptxBytes(const std::string& ptx, const std::string& name) {
  size_t p = ptx.find(".entry " + name + "(");
  if (p == std::string::npos) return -1;
  size_t end = ptx.find(')', p), q = ptx.find(".param", p), open = ptx.find('[', q);
  if (q == std::string::npos || q > end) return 0;
  return open < end ? atol(ptx.c_str() + open + 1) : 0;
}

EXPORTED Result cuModuleGetFunction(Function** out, Module* m, const char* name) {
  std::string symbol = std::string("kernel_") + name;
  void* h = plain.acquire();
  if (!h) return INVALID_IMAGE;
  auto e = entry(h, symbol);
  plain.put(h);
  if (!e) return NOT_FOUND;
  long ptx = ptxBytes(m->ptx, name);
  if (!m->ptx.empty() && ptx != static_cast<long>(e->bytes)) {
    message = std::string("kernel ") + name + " takes " + std::to_string(ptx) + " bytes of arguments in PTX and " + std::to_string(e->bytes) + " in C++";
    return INVALID_VALUE;
  }
  *out = new Function{symbol, e};
  return SUCCESS;
}
EXPORTED Result cuFuncGetAttribute(int* v, int attribute, Function* f) { *v = attribute == 0 ? static_cast<int>(f->entry->threads) : attribute == 8 ? static_cast<int>(f->shared) : 0; return SUCCESS; }
EXPORTED Result cuFuncSetAttribute(Function* f, int attribute, int v) {
  if (attribute == 8) {
    if (v > 227 * 1024) return INVALID_VALUE;
    f->shared = v;
  }
  return SUCCESS;
}

// ---- Launches

static std::mutex executorLock;
static std::vector<Executor*> executors;

static Result launch(Function* f, dim3 grid, dim3 block, unsigned shared, const void* arguments) {
  uint64_t threads = static_cast<uint64_t>(block.x) * block.y * block.z, blocks = static_cast<uint64_t>(grid.x) * grid.y * grid.z;
  auto invalid = [&](const std::string& why) { message = std::string("kernel ") + f->entry->name + ": " + why; return INVALID_VALUE; };
  if (threads == 0 || threads > f->entry->threads) return invalid(std::to_string(threads) + " threads a block, launch bound " + std::to_string(f->entry->threads));
  if (blocks == 0 || grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535 || block.z > 64) return invalid("a grid of " + std::to_string(grid.x) + "×" + std::to_string(grid.y) + "×" + std::to_string(grid.z));
  if (shared > f->shared) return invalid(std::to_string(shared) + " bytes of shared memory, allowed " + std::to_string(f->shared));
  auto& library = options.check ? checked : plain;
  long limit = options.workers > 0 ? options.workers.load() : static_cast<long>(std::thread::hardware_concurrency());
  int workers = static_cast<int>(std::min<uint64_t>({static_cast<uint64_t>(std::max(1l, limit)), blocks, threads * blocks / 8192 + 1}));
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex faultLock;
  std::string fault;
  bool illegal = false;
  auto work = [&] {
    Executor* e = nullptr;
    {
      std::lock_guard<std::mutex> l(executorLock);
      if (!executors.empty()) { e = executors.back(); executors.pop_back(); }
    }
    if (!e) e = new Executor;
    void* copy = library.acquire();
    auto kernel = copy ? entry(copy, f->symbol) : nullptr;
    if (!kernel) {
      std::lock_guard<std::mutex> l(faultLock);
      fault = message.empty() ? "no such kernel in " + library.path : message;
      failed = true;
    } else {
      Executor* outer = executor;
      executor = e;
      e->prepare(kernel, library.path.c_str(), arguments, block, grid, shared);
      for (uint64_t q; !failed && (q = next++) < blocks;)
        if (!e->run({static_cast<unsigned>(q % grid.x), static_cast<unsigned>(q / grid.x % grid.y), static_cast<unsigned>(q / (static_cast<uint64_t>(grid.x) * grid.y))})) {
          std::lock_guard<std::mutex> l(faultLock);
          if (fault.empty()) { fault = e->fault; illegal = e->illegal; }
          failed = true;
        }
      executor = outer;
    }
    if (copy) library.put(copy);
    std::lock_guard<std::mutex> l(executorLock);
    executors.push_back(e);
  };
  std::vector<std::thread> others;
  for (int w = 1; w < workers; w++) others.emplace_back(work);
  work();
  for (auto& t : others) t.join();
  if (!failed) return SUCCESS;
  message = fault;
  return broken[device] = illegal ? ILLEGAL_ADDRESS : LAUNCH_FAILED;
}

EXPORTED Result cuLaunchKernel(Function* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void*, void** parameters, void** extra) {
  if (!options.launches) return SUCCESS;
  CHECK_USABLE();
  if (!f || !parameters || extra) return INVALID_VALUE;
  return launch(f, {gx, gy, gz}, {bx, by, bz}, shared, parameters[0]);
}

// ---- Streams and events

struct Event { double at; };
EXPORTED Result cuStreamCreate(void** s, unsigned) { CHECK_USABLE(); *s = malloc(1); return SUCCESS; }
EXPORTED Result cuStreamDestroy_v2(void* s) { free(s); return SUCCESS; }
EXPORTED Result cuStreamSynchronize(void*) { return usable(); }
EXPORTED Result cuStreamWaitEvent(void*, void*, unsigned) { return SUCCESS; }
EXPORTED Result cuEventCreate(Event** e, unsigned) { CHECK_USABLE(); *e = new Event{0}; return SUCCESS; }
EXPORTED Result cuEventRecord(Event* e, void*) {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  e->at = t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
  return SUCCESS;
}
EXPORTED Result cuEventSynchronize(Event*) { return usable(); }
EXPORTED Result cuEventQuery(Event*) { return SUCCESS; }
EXPORTED Result cuEventElapsedTime(float* ms, Event* a, Event* b) { *ms = static_cast<float>(b->at - a->at); return SUCCESS; }
EXPORTED Result cuEventDestroy_v2(Event* e) { delete e; return SUCCESS; }

EXPORTED Result cuGetErrorName(Result r, const char** s) {
  switch (r) {
    case SUCCESS: *s = "CUDA_SUCCESS"; break;
    case INVALID_VALUE: *s = "CUDA_ERROR_INVALID_VALUE"; break;
    case OUT_OF_MEMORY: *s = "CUDA_ERROR_OUT_OF_MEMORY"; break;
    case DEVICE_UNAVAILABLE: *s = "CUDA_ERROR_DEVICE_UNAVAILABLE"; break;
    case INVALID_DEVICE: *s = "CUDA_ERROR_INVALID_DEVICE"; break;
    case INVALID_IMAGE: *s = "CUDA_ERROR_INVALID_IMAGE"; break;
    case INVALID_CONTEXT: *s = "CUDA_ERROR_INVALID_CONTEXT"; break;
    case NOT_FOUND: *s = "CUDA_ERROR_NOT_FOUND"; break;
    case ILLEGAL_ADDRESS: *s = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
    case LAUNCH_FAILED: *s = "CUDA_ERROR_LAUNCH_FAILED"; break;
    default: *s = "CUDA_ERROR_NOT_SUPPORTED";
  }
  return SUCCESS;
}
EXPORTED Result cuGetErrorString(Result r, const char** s) {
  if (message.empty()) return cuGetErrorName(r, s);
  static thread_local std::string last;
  last.swap(message);
  message.clear();
  *s = last.c_str();
  return SUCCESS;
}

// ---- For tests

/// Turns one of Options; "lost" names a device that every call fails on, "heal" one that forgets its fault. Returns what it was, or −1 for an unknown name.
EXPORTED long emulation_set(const char* name, long value) {
  if (!strcmp(name, "heal")) {
    if (!exists(static_cast<int>(value))) return -1;
    return std::exchange(broken[value], SUCCESS);
  }
  struct { const char* name; std::atomic<long>* option; } known[] = {{"order", &options.order}, {"check", &options.check}, {"workers", &options.workers}, {"memory", &options.memory},
      {"devices", &options.devices}, {"launches", &options.launches}, {"lost", &lost}};
  for (auto& k : known) if (!strcmp(name, k.name)) return k.option->exchange(value);
  return -1;
}

