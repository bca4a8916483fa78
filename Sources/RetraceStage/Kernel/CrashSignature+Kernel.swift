package import CrashModel

extension CrashSignature {
    /// The signature of a kernel's panic: the topmost functions of the task that panicked which are not the machinery of
    /// panicking itself.
    package init(ofKernel thread: BacktraceThread?) {
        self.init(of: thread, modules: [], without: Self.isPanicMachinery)
    }

    /// Whether a function of the kernel only carries out a panic, or brings an exception to it: what stands above the cause
    /// in every stack of the kind (x86, arm64, ppc64, s390x).
    static func isPanicMachinery(_ name: String) -> Bool {
        machinery.contains(name) || prefixes.contains(where: name.hasPrefix)
    }

    private static let prefixes = [
        "asm_exc_", "exc_", "asm_sysvec_crash", "do_trap", "do_error_trap", "__do_kernel_fault", "die_",
        "machine_crash",
    ]

    private static let machinery: Set<String> = [
        "machine_kexec", "native_machine_crash_shutdown", "__crash_kexec", "crash_kexec", "crash_kexec_post_notifiers",
        "crash_nmi_callback", "crash_save_cpu", "panic", "vpanic", "nmi_panic", "panic_nmi", "check_panic_on_warn",
        "oops_end", "oops_exit", "die", "__die", "__die_body", "make_task_dead", "bust_spinlocks", "show_regs",
        "dump_stack", "dump_stack_lvl", "__dump_stack", "dump_backtrace", "show_stack",
        // Page faults and other exceptions.
        "page_fault", "async_page_fault", "do_page_fault", "__do_page_fault", "do_async_page_fault", "no_context",
        "page_fault_oops", "kernelmode_fixup_or_oops", "bad_area", "bad_area_nosemaphore", "__bad_area",
        "__bad_area_nosemaphore", "do_user_addr_fault", "do_kern_addr_fault", "spurious_kernel_fault", "error_code",
        "error_entry", "general_protection", "do_general_protection", "invalid_op", "do_invalid_op", "handle_bug",
        "divide_error", "do_divide_error", "int3", "do_int3", "double_fault", "do_double_fault", "stack_segment",
        "do_stack_segment", "machine_check", "do_machine_check", "mce_panic", "report_bug", "fixup_bug",
        // Non-maskable interrupts and the watchdogs that they serve.
        "nmi", "do_nmi", "default_do_nmi", "end_repeat_nmi", "repeat_nmi", "nmi_handle", "nmi_stack_correct",
        "perf_event_nmi_handler", "intel_pmu_handle_irq", "handle_pmi_common", "perf_event_overflow",
        "__perf_event_overflow", "watchdog_overflow_callback", "watchdog_hardlockup_check", "watchdog_timer_fn",
        "unknown_nmi_error", "mem_parity_error", "io_check_error",
        // arm64, ppc64, s390x.
        "do_mem_abort", "do_translation_fault", "do_sea", "do_undefinstr", "do_el1_undef", "el1_abort", "el1_undef",
        "el1_dbg", "el1h_64_sync", "el1h_64_sync_handler", "el1_sync", "call_break_hook", "brk_handler", "bug_handler",
        "do_debug_exception", "el1_brk64", "crash_fadump", "default_machine_kexec", "handle_page_fault",
        "data_access_common_virt", "program_check_common_virt", "program_check_exception", "_exception",
        "do_dat_exception", "do_protection_exception", "pgm_check_handler", "__do_pgm_check", "do_no_context",
        "do_fault_error", "illegal_op", "s390_handle_damage", "__kexec_machine", "smp_call_ipl_cpu",
    ]
}
