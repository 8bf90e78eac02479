// The table of allocations of all emulated devices.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace emulation {
/// Counts the changes of the table.
extern std::atomic<uint64_t> generation;

/// The allocation that holds an address.
bool find(uintptr_t address, uintptr_t& low, uintptr_t& high);
}
