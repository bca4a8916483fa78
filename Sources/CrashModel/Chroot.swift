/// The two roots in which a crash is looked at; they are mounted into one another but never mixed.
package struct Chroot: Hashable, Sendable {
    /// The directory that becomes `/` of the sandbox: the packages of the crash and nothing else.
    package let crashRoot: String
    /// nil where there is none that reads the dump of a kernel, whose log can be read all the same; the remarks say why.
    package let debugger: DebuggerRoot?
    /// What could not be put into the root and why, a sentence each.
    package let remarks: [String]
    /// Set for a kernel's dump whose vmlinux is in the root.
    package let kernel: KernelFiles?

    package init(crashRoot: String, debugger: DebuggerRoot?, remarks: [String] = [], kernel: KernelFiles? = nil) {
        self.crashRoot = crashRoot
        self.debugger = debugger
        self.remarks = remarks
        self.kernel = kernel
    }
}

/// A debugger with everything that it needs to run, in a directory of its own.
package struct DebuggerRoot: Hashable, Sendable {
    /// The directory on the host.
    package let directory: String
    /// The debugger inside it, such as `/usr/bin/gdb`.
    package let executable: String
    /// The dynamic loader inside it, such as `/lib64/ld-linux-x86-64.so.2`.
    package let loader: String
    /// The directories of libraries inside it, in the loader's order.
    package let libraryPath: [String]
    /// gdb's `--data-directory` inside it, such as `/usr/share/gdb`; nil when it has none.
    package let dataDirectory: String?
    /// `PYTHONHOME` inside it; nil for a gdb without Python.
    package let pythonHome: String?
    /// The debugger's package, for the report: `gdb-13.1-3.amd64`.
    package let package: NEVRA

    package init(
        directory: String, executable: String, loader: String, libraryPath: [String], dataDirectory: String?,
        pythonHome: String?, package: NEVRA
    ) {
        self.directory = directory
        self.executable = executable
        self.loader = loader
        self.libraryPath = libraryPath
        self.dataDirectory = dataDirectory
        self.pythonHome = pythonHome
        self.package = package
    }
}
