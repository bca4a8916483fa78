/// Where the symbols of a crashed kernel lie in the crash root.
package struct KernelFiles: Hashable, Sendable {
    /// The absolute path of vmlinux in the crash root.
    package let vmlinux: String
    /// The absolute path of the directory of the modules' debug files in the crash root; nil where there are none.
    package let modules: String?
    /// What speaks against this vmlinux being the one that ran, as a sentence; nil when its build-id is the dump's.
    package let doubt: String?

    package init(vmlinux: String, modules: String?, doubt: String? = nil) {
        self.vmlinux = vmlinux
        self.modules = modules
        self.doubt = doubt
    }
}
