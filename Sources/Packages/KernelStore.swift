import NIOPosix
import Synchronization
import SystemPackage

/// The symbols of kernels in a package store: vmlinux once per kernel, and those modules' debug files that somebody wanted.
///
/// A package of a kernel's debuginfo has two gigabytes, of which a dump needs a third, so it is never unpacked as a
/// whole: it is streamed, and what is wanted is written. Entries are beside the packages', named by vmlinux's build-id,
/// and leases, eviction and the look after a restart of the machine are theirs too. Several processes may share a store.
package final class KernelStore: Sendable {
    package let store: PackageStore
    private let passes = Mutex(0)

    package init(_ store: PackageStore) { self.store = store }

    /// How often a package was read, wholly or in part.
    package var passCount: Int { passes.withLock { $0 } }

    /// vmlinux and the wanted modules, extracted from the package as far as they are not there yet, and a lease on them.
    ///
    /// With everything there, nothing of the package is read. The package file is hashed before it is read, and a vmlinux
    /// whose build-id is not the wanted one never gets its name. Blocking work runs on the store's thread pool.
    ///
    /// - Parameter progress: Called on any thread.
    /// - Throws: ``PackageStoreError``: `altered` when the file's SHA-256 is another, `otherKernel`, `unusableKernel` and
    ///   `withoutKernel` where the package does not have that vmlinux, and what the store fails with.
    package func lease(
        _ request: KernelRequest, progress: @escaping @Sendable (KernelStep) -> Void = { _ in }
    ) async throws(PackageStoreError) -> KernelLease {
        guard PackageStore.isChecksum(request.sha256) else { throw .invalidChecksum(request.sha256) }
        guard isPlainPath(request.vmlinux), request.modules.map({ isPlainPath($0.directory) }) ?? true else {
            throw .withoutKernel(path: String(request.vmlinux.prefix(200)))
        }
        let shelf = KernelShelf(store: store, request: request)
        let visit = KernelVisit(shelf, progress)
        if let lease = try await warm(visit) { return lease }
        var held: PackageLease? = try await blocking { () throws(PackageStoreError) in try shelf.open() }
        do throws(PackageStoreError) {
            return try await fill(visit, held)
        } catch {
            held = nil
            await removeIfEmpty(shelf)
            throw error
        }
    }

    /// The lease when nothing must be read for it.
    private func warm(_ visit: KernelVisit) async throws(PackageStoreError) -> KernelLease? {
        let shelf = visit.shelf
        let found = try await blocking { () throws(PackageStoreError) -> (PackageLease, KernelInventory)? in
            guard let lease = try shelf.store.existingLease(at: shelf.entry) else { return nil }
            return (lease, try KernelInventory(of: shelf))
        }
        guard let (lease, inventory) = found else { return nil }
        return await complete(inventory, visit, lease)
    }

    private func complete(
        _ inventory: KernelInventory, _ visit: KernelVisit, _ lease: PackageLease
    ) async -> KernelLease? {
        guard inventory.hasVmlinux else { return nil }
        let wanted = await visit.wanted()
        guard inventory.toRead(wanted)?.isEmpty == true else { return nil }
        return inventory.lease(lease, on: visit.shelf.request, wanted)
    }

    /// Reads the package until everything is there that is wanted and that it has.
    private func fill(_ visit: KernelVisit, _ held: PackageLease?) async throws(PackageStoreError) -> KernelLease {
        guard let held else { throw .inputOutput("an entry has no lease") }
        let shelf = visit.shelf
        let lock = try await fillLock(visit)
        defer { withExtendedLifetime(lock) {} }
        var vmlinux = shelf.request.vmlinux
        // Twice for modules that lie before vmlinux when only that can tell which they are; the others for links.
        for round in 0..<6 {
            let inventory = try await blocking { () throws(PackageStoreError) in try KernelInventory(of: shelf) }
            if let lease = await complete(inventory, visit, held) { return lease }
            if round == 0 {
                try await blocking { () throws(PackageStoreError) in
                    shelf.removeLeftOvers()
                    try shelf.store.verify(shelf.request.package, shelf.request.sha256)
                }
            }
            let link = try await read(visit, inventory, vmlinux: inventory.hasVmlinux ? nil : vmlinux)
            if !inventory.hasVmlinux, !visit.hasVmlinux {
                guard let link, link != vmlinux else { throw .withoutKernel(path: shelf.request.vmlinux) }
                vmlinux = link
            }
        }
        throw .withoutKernel(path: shelf.request.vmlinux)
    }

    /// Reads the package once.
    ///
    /// - Returns: Where a symbolic link in vmlinux's place leads.
    private func read(
        _ visit: KernelVisit, _ inventory: KernelInventory, vmlinux: String?
    ) async throws(PackageStoreError) -> String? {
        let shelf = visit.shelf
        passes.withLock { $0 += 1 }
        let pass = try await blocking { () throws(PackageStoreError) in
            try KernelPass(shelf, inventory, vmlinux: vmlinux) { visit.progress(.reading($0)) }
        }
        do throws(PackageStoreError) {
            while true {
                let wanted = visit.wanted(beyond: inventory)
                let step = try await blocking { () throws(PackageStoreError) in try pass.advance(wanting: wanted) }
                try await stamp(shelf)
                guard step == .vmlinux else { return pass.linkTarget }
                visit.noteVmlinux()
                _ = await visit.wanted()
            }
        } catch {
            // What was read until then is whole and stays; the first failure is what is told.
            try? await stamp(shelf)
            throw error
        }
    }

    private func stamp(_ shelf: KernelShelf) async throws(PackageStoreError) {
        try await blocking { () throws(PackageStoreError) in
            let bytes = try shelf.stamp()
            if bytes > 0 { shelf.store.noteAdded(bytes: bytes) }
        }
    }

    /// Waits until nobody else adds to the entry, in this process or another; no thread waits meanwhile.
    private func fillLock(_ visit: KernelVisit) async throws(PackageStoreError) -> FillLock {
        let shelf = visit.shelf
        var isFirst = true
        while true {
            let lock = try await blocking { () throws(PackageStoreError) in try shelf.fillLock() }
            if let lock { return lock }
            if isFirst { visit.progress(.waiting) }
            isFirst = false
            do {
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                throw .inputOutput("the service is stopping")
            }
        }
    }

    /// An entry without vmlinux is worth nothing; it goes unless somebody else is about to fill it.
    private func removeIfEmpty(_ shelf: KernelShelf) async {
        // The failure that led here is told; an empty entry that stays takes no space to speak of.
        try? await blocking { () throws(PackageStoreError) in
            if try !KernelInventory(of: shelf).hasVmlinux { shelf.store.evict(shelf.entry) }
        }
    }

    private func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws(PackageStoreError) -> Value
    ) async throws(PackageStoreError) -> Value {
        let result: Result<Value, PackageStoreError>
        do {
            result = try await store.threads.runIfActive {
                do throws(PackageStoreError) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch {
            throw .inputOutput("the service is stopping")
        }
        return try result.get()
    }
}

/// Whether the path is absolute and of plain components, so that it can be looked for and written below a tree.
private func isPlainPath(_ path: String) -> Bool {
    let components = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    return path.hasPrefix("/") && path.utf8.count <= 2048 && (1...64).contains(components.count)
        && !path.utf8.contains(0)
        && components.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
}
