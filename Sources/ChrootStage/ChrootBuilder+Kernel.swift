package import CrashModel
import Packages
package import SystemPackage

/// Asks which modules were loaded, by their names; the answer nil means that nobody can tell. It may take a while and is
/// asked at most once, with the vmlinux of the dump.
package typealias LoadedModulesQuestion = @Sendable (_ vmlinux: FilePath) async -> [String]?

extension ChrootBuilder {
    /// The two roots in which the crash is looked at, of a process or of a kernel.
    ///
    /// Of a kernel's debuginfo the crash root has vmlinux and the debug files of the modules that were loaded, by the dump;
    /// of all modules where nobody can tell. Without a vmlinux of that very build there is no ``CrashModel/Chroot/kernel``, and
    /// the remarks say why: the kernel's log can be read without. It can without any debugger too, so where none can be had
    /// that reads these dumps, there is no ``CrashModel/Chroot/debugger`` either, and no symbols are unpacked.
    ///
    /// - Parameter loadedModules: Asked when the dump's reader could not tell which modules were loaded.
    /// - Throws: ``CrashModel/StageError`` of stage `build`: for a process no debugger; a full disk, a store that cannot be
    ///   written.
    package func build(
        _ crash: Crash, _ resolution: Resolution, task: TaskID, loadedModules: LoadedModulesQuestion? = nil,
        progress: @escaping BuildProgress = { _, _ in }
    ) async throws(StageError) -> Chroot {
        guard crash.kind == .vmcore else { return try await build(resolution, task: task, progress: progress) }
        let debugger = try await kernelDebugger(for: resolution, progress: progress)
        let root = try await kernelRoot(
            of: crash.kernel, resolution, task: task, isReadable: debugger.root != nil, loadedModules: loadedModules,
            progress: progress)
        return Chroot(
            crashRoot: root.path.string, debugger: debugger.root, remarks: debugger.remarks + root.remarks,
            kernel: root.kernel)
    }

    /// `roots/<task>/` with the kernel's symbols.
    private func kernelRoot(
        of dump: KernelDump?, _ resolution: Resolution, task: TaskID, isReadable: Bool,
        loadedModules: LoadedModulesQuestion?, progress: @escaping BuildProgress
    ) async throws(StageError) -> CrashRoot {
        let place = CrashRootPlace(task: task, in: roots)
        let fingerprint = CrashRootManifest.fingerprint(of: resolution, kernel: isReadable ? dump : nil)
        let present = try await blockingCalls(Self.doing) { () throws(Errno) in
            try place.present(ifBuiltFrom: fingerprint)
        }
        if let present { return present }
        let plan: CrashRootPlan
        if !isReadable {
            plan = CrashRootPlan(parts: [], modules: [], missing: [], remarks: [])
        } else if let symbols = KernelSymbols(dump, resolution) {
            plan = try await self.plan(for: symbols, loadedModules, progress)
        } else {
            plan = CrashRootPlan(
                parts: [], modules: [], missing: [],
                remarks: ["No package has the symbols of this kernel, so only its log can be read."])
        }
        progress("linking the kernel's symbols into a root", nil)
        return try await blockingCalls(Self.doing) { () throws(Errno) in
            try place.build(plan, fingerprint: fingerprint)
        }
    }

    private func plan(
        for symbols: KernelSymbols, _ loadedModules: LoadedModulesQuestion?, _ progress: @escaping BuildProgress
    ) async throws(StageError) -> CrashRootPlan {
        let package = symbols.package
        let name = package.nevra
        let mirror = MirrorDirectory(symbols.releaseID, in: repositories)
        let file: FilePath
        do {
            file = try mirror.file(at: package.location)
        } catch {
            return symbols.plan(without: "\(name) was left out: \(error).")
        }
        var failure: PackageStoreError?
        for place in symbols.places {
            let request = KernelRequest(
                buildID: symbols.dump.buildID, package: file, sha256: package.sha256, vmlinux: place.vmlinux,
                modules: symbols.modules(below: place.modules, asking: loadedModules))
            do throws(PackageStoreError) {
                let lease = try await KernelStore(store).lease(request) { step in
                    switch step {
                    case .waiting: progress("another worker is unpacking the symbols of the same kernel", nil)
                    case .reading(let fraction): progress("unpacking the kernel's symbols from \(name)", fraction)
                    case .vmlinux: progress("vmlinux of \(symbols.kernelName) is there", nil)
                    }
                }
                return symbols.plan(with: lease, place)
            } catch {
                if let trouble = StageError(storeTrouble: error) { throw trouble }
                if failure == nil { failure = error }
                guard case .withoutKernel = error else { break }
            }
        }
        return symbols.plan(without: "\(name) was left out: \(failure.map { "\($0)" } ?? "it has no vmlinux").")
    }
}
