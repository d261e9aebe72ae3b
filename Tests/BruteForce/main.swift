// main.swift — random instances against brute force: `brute-force FIRST STEP END` tries every STEP-th seed from FIRST
// on. Compiled by Scripts/brute-force with the tests' own checks.

import Glibc

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard numbers.count == 3 else {
    print("usage: brute-force FIRST STEP END")
    exit(64)
}
for seed in stride(from: numbers[0], to: numbers[2], by: numbers[1]) {
    if let fault = try RandomInstances.fault(seed) ?? RandomInstances.faultOfWanted(seed) {
        print(fault)
        exit(1)
    }
}
