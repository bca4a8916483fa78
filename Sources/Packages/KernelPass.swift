import Archives
import CrashModel
import Glibc
import Synchronization
import SystemPackage

/// One way through a package, which writes vmlinux and modules into a shelf; it can pause after vmlinux. Blocking.
final class KernelPass: Sendable {
    enum Step: Sendable {
        /// vmlinux has just got its name in the tree; there is more to read.
        case vmlinux
        /// Everything that was wanted and lies further on is there, or the package is at its end.
        case finished
    }

    /// What is wanted of the modules.
    enum Wanted: Sendable {
        /// Nobody knows until vmlinux is there.
        case later
        case all
        case named(Set<String>)
    }

    private let state: Mutex<State>
    private let progress: @Sendable (Double) -> Void

    /// - Parameters:
    ///   - vmlinux: Where the file of that name is in the package, which a link may have told; nil when it is there.
    ///   - progress: How much of the package was read, from 0 to 1, every hundredth part.
    init(
        _ shelf: KernelShelf, _ inventory: KernelInventory, vmlinux: String?,
        progress: @escaping @Sendable (Double) -> Void
    ) throws(PackageStoreError) {
        do throws(ArchiveError) {
            state = Mutex(
                State(
                    shelf: shelf, entries: try PackageEntries(shelf.request.package),
                    present: Set(inventory.present.keys), vmlinux: vmlinux))
        } catch {
            throw PackageStore.failure(error)
        }
        self.progress = progress
    }

    /// Reads on until something is to be told.
    ///
    /// - Throws: ``PackageStoreError``; every file that has its name in the tree is whole then too.
    func advance(wanting wanted: Wanted) throws(PackageStoreError) -> Step {
        try state.withLock { (state) throws(PackageStoreError) in try state.advance(wanting: wanted, progress) }
    }

    /// Where a symbolic link at vmlinux's place leads inside the package; nil when there was none.
    var linkTarget: String? { state.withLock { $0.linkTarget } }
}

private struct State {
    let shelf: KernelShelf
    let entries: PackageEntries
    /// The modules that are in the tree.
    var present: Set<String>
    /// nil when it is there, or not wanted.
    var vmlinux: String?
    var linkTarget: String?
    /// All modules of the package so far, by name.
    private var seen: [String: String] = [:]
    private var told = 0.0

    /// A kernel has some 6,000 modules; what is above that is not a kernel's.
    private static let moduleLimit = 50_000

    init(shelf: KernelShelf, entries: PackageEntries, present: Set<String>, vmlinux: String?) {
        self.shelf = shelf
        self.entries = entries
        self.present = present
        self.vmlinux = vmlinux
    }

    mutating func advance(
        wanting wanted: KernelPass.Wanted, _ progress: (Double) -> Void
    ) throws(PackageStoreError) -> KernelPass.Step {
        while !isSatisfied(wanted) {
            guard let entry = try next() else {
                try shelf.writeList(Array(seen.values))
                return .finished
            }
            tell(progress)
            let path = entry.mergedPath.string
            if path == vmlinux {
                if try takeVmlinux(entry) { return .vmlinux }
            } else if entry.kind == .regular, let name = shelf.request.modules?.module(at: path) {
                try takeModule(name, at: path, of: entry, wanted)
            }
        }
        return .finished
    }

    /// Whether nothing that lies further on is wanted; what lies behind needs another pass.
    private func isSatisfied(_ wanted: KernelPass.Wanted) -> Bool {
        guard vmlinux == nil else { return false }
        switch wanted {
        case .named(let names): return names.allSatisfy { present.contains($0) || seen[$0] != nil }
        case .later, .all: return shelf.request.modules == nil
        }
    }

    private func next() throws(PackageStoreError) -> PackageEntry? {
        do throws(ArchiveError) { return try entries.next() } catch { throw PackageStore.failure(error) }
    }

    private mutating func takeVmlinux(_ entry: PackageEntry) throws(PackageStoreError) -> Bool {
        guard entry.kind == .regular || entry.kind == .hardLink && entry.byteCount > 0 else {
            if entry.kind == .symbolicLink, let target = entry.linkTarget {
                linkTarget = resolved(target.string, from: entry.mergedPath.string)
            }
            return false
        }
        let file = try extract()
        do throws(PackageStoreError) {
            try shelf.check(vmlinux: file)
        } catch {
            unlink(file.string)
            throw error
        }
        guard try shelf.publish(file, as: shelf.request.vmlinux) else {
            throw .withoutKernel(path: shelf.request.vmlinux)
        }
        vmlinux = nil
        return true
    }

    private mutating func takeModule(
        _ name: String, at path: String, of entry: PackageEntry, _ wanted: KernelPass.Wanted
    ) throws(PackageStoreError) {
        // RPM has the content of hard links in the last of them, and the others look empty.
        guard seen[name] == nil, seen.count < Self.moduleLimit, entry.byteCount > 0 else { return }
        let isWanted =
            switch wanted {
            case .later: false
            case .all: true
            case .named(let names): names.contains(name)
            }
        if isWanted, !present.contains(name) {
            guard try shelf.publish(try extract(), as: path) else { return }
            present.insert(name)
        }
        seen[name] = path
    }

    /// Writes the current entry's content aside.
    private func extract() throws(PackageStoreError) -> FilePath {
        let (path, file) = try shelf.newFile()
        do throws(ArchiveError) {
            try entries.extract(takingOwnershipOf: file)
        } catch {
            unlink(path.string)
            throw PackageStore.failure(error)
        }
        return path
    }

    private mutating func tell(_ progress: (Double) -> Void) {
        guard entries.byteCount > 0 else { return }
        let fraction = min(1, Double(entries.bytesRead) / Double(entries.byteCount))
        guard fraction >= told + 0.01 else { return }
        told = fraction
        progress(fraction)
    }
}

/// Where a symbolic link leads, by its text alone; nil when it is nothing that a package can hold.
private func resolved(_ target: String, from link: String) -> String? {
    var components = target.hasPrefix("/") ? [] : link.split(separator: "/").dropLast().map(String.init)
    for name in target.split(separator: "/") where name != "." {
        if name == ".." {
            guard components.popLast() != nil else { return nil }
        } else {
            components.append(String(name))
        }
    }
    return components.isEmpty ? nil : usrMerged("/" + components.joined(separator: "/"))
}
