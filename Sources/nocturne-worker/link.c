// link.c — SwiftPM links C programs with swiftc, which adds the Swift runtime. This entry of the
// section that swiftc's linker driver reads its extra arguments from comes before them and drops
// what is not needed. Package.swift has the other half
// (-nostartfiles drops Swift's start file). It must be assembly: a C variable here breaks the link
// under AddressSanitizer.
__asm__(".pushsection .swift1_autolink_entries,\"e\",@progbits\n"
        " .asciz \"-Wl,--as-needed\"\n"
        ".popsection\n");
