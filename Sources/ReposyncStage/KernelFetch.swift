import CrashModel
import Crypto
import Distributions
import Packages
import Sandbox
import SystemPackage

/// The fetching of one kernel's symbols from the plugin's own sources.
struct KernelFetch: Sendable {
    private let source: KernelSource
    private let crash: Crash
    private let resolution: Resolution
    private let mirror: MirrorDirectory
    private let downloader: Downloader

    /// The largest package that is taken, in bytes; the largest debuginfo of a kernel has some 1.2 GB.
    private static let maximumBytes: UInt64 = 8 << 30

    init(
        _ source: KernelSource, _ crash: Crash, _ resolution: Resolution, _ repositories: FilePath,
        _ downloader: Downloader
    ) {
        self.source = source
        self.crash = crash
        self.resolution = resolution
        self.downloader = downloader
        mirror = MirrorDirectory(source.releaseID, in: repositories)
    }

    /// Asks every address in turn.
    func run(
        _ progress: @escaping @Sendable (String, Double) async -> Void
    ) async throws -> (resolution: Resolution, report: FetchReport) {
        var report = FetchReport()
        var failures: [String] = []
        for address in source.addresses {
            do {
                let (package, isNew) = try await package(at: address, progress)
                if isNew {
                    report.fetched.append(package.nevra)
                    report.byteCount += package.byteCount
                }
                let contents = try await contents(of: package)
                try await addToIndex(package, contents.paths)
                let found = try resolution(with: package, contents.paths)
                report.mayComeLater = false
                return (found, report)
            } catch let failure as MirrorFailure {
                if failure.kind == .unreachable { report.mayComeLater = true }
                failures.append("\(MirrorAddress(address)): \(failure)")
            }
        }
        let details = failures.joined(separator: "; ")
        report.remarks.append(
            "The plugin's sources of kernels (kernel.sources) do not give the symbols of \(source.release) (\(details))."
        )
        return (resolution, report)
    }

    /// The verified package in the pool, and whether it came now.
    private func package(
        at address: String, _ progress: @escaping @Sendable (String, Double) async -> Void
    ) async throws -> (IndexedPackage, isNew: Bool) {
        guard let slash = address.lastIndex(of: "/") else {
            throw MirrorFailure(.missing, "it is no address of a file")
        }
        let name = String(address[address.index(after: slash)...])
        let key = hexadecimal(SHA256.hash(data: Array(address.utf8)))
        let lock = try await PackageLock(key, in: mirror, downloader)
        defer { withExtendedLifetime(lock) {} }
        let note = mirror.path.appending("fetching").appending("\(key).kernel")
        let known = try await downloader.blocking { [mirror] in
            let words = ((try? readFile(note, limit: 4096)) ?? []).split(separator: UInt8(ascii: " "))
                .map { String(decoding: $0, as: UTF8.self) }
            return words.count == 2 && mirror.hasFile(at: words[1]) ? words : nil
        }
        if let known {
            let file = try mirror.file(at: known[1])
            let byteCount = try await downloader.blocking { fileSize(file) ?? 0 }
            return (try await identity(of: file, known[0], known[1], byteCount), false)
        }
        await progress("fetching \(name)", 0)
        try await downloader.whole(
            name, at: MirrorAddress(String(address[..<slash])), to: lock.download, limit: Self.maximumBytes)
        let digest = try await downloader.blocking { try packageDigest(of: lock.download) }
        guard let location = rpmLocation(of: name, sha256: digest.sha256) else {
            throw MirrorFailure(.missing, "it is no address of an RPM")
        }
        let wanted = WantedFile(path: name, sha256: digest.sha256, byteCount: digest.byteCount)
        let keys = try await downloader.keyDatabase(for: source.repository, of: mirror)
        guard try await downloader.isSigned(lock.download, as: wanted, keys: keys) else {
            try await downloader.blocking { try removeFile(lock.download) }
            throw MirrorFailure(.altered, "\(name) has no good signature of a key that the plugin names")
        }
        let package = try await identity(of: lock.download, digest.sha256, location, digest.byteCount)
        try await downloader.blocking { [mirror] in
            let destination = try mirror.file(at: location)
            try makeDirectories(destination.removingLastComponent())
            try publish(lock.download, as: destination)
            let aside = FilePath(note.string + ".new")
            try writeFile(Array("\(digest.sha256) \(location)".utf8), to: aside)
            try publish(aside, as: note)
            lock.forget()
        }
        return (package, true)
    }

    /// What a verified package says that it is.
    ///
    /// - Throws: ``MirrorFailure`` when it is not the one that was asked for.
    private func identity(
        of file: FilePath, _ sha256: String, _ location: String, _ byteCount: UInt64
    ) async throws -> IndexedPackage {
        let format = "%{NAME} %{EPOCHNUM} %{VERSION} %{RELEASE} %{ARCH} %{SOURCERPM}"
        let result = try await runTool(["rpm", "-qp", "--nosignature", "--queryformat", format, file.string])
        let words = String(decoding: result.standardOutput, as: UTF8.self).split(separator: " ").map(String.init)
        guard result.succeeded, words.count == 6, let epoch = Int(words[1]) else {
            throw MirrorFailure(.altered, "rpm cannot read what it is")
        }
        let nevra = try NEVRA(
            name: words[0], epoch: epoch, version: words[2], release: words[3], architecture: words[4])
        guard source.packaging.packageNames(of: source.release, source.architecture).contains(nevra.name),
            source.packaging.isOf(source.release, nevra),
            (try? Architecture(nevra.architecture)) == source.architecture
        else { throw MirrorFailure(.altered, "it is \(nevra), another package than its name says") }
        return IndexedPackage(
            nevra: nevra, sha256: sha256, location: location, byteCount: byteCount,
            kind: PackageKind(packageName: nevra.name),
            source: SourcePackage(rpm: words[5]) ?? SourcePackage(name: nevra.name, version: nevra.versionText))
    }

    private func contents(of package: IndexedPackage) async throws -> PackageContents {
        let file = try mirror.file(at: package.location)
        do {
            return try await downloader.blocking { try scanPackage(file) }
        } catch let error as UnreadablePackage {
            throw MirrorFailure(.altered, "\(package.nevra) cannot be read: \(error)")
        }
    }

    /// Lets the next crash find the package by its build-ids. Where a synchronisation is at work, or the release has no
    /// index, it stays out of it, and is found by its address again.
    private func addToIndex(_ package: IndexedPackage, _ files: [IndexedPath]) async throws {
        try await downloader.blocking { [mirror] in
            guard fileSize(mirror.index) != nil, let index = try? PackageIndex(mirror),
                try index.package(sha256: package.sha256) == nil,
                let lock = try? SyncLock(mirror.path.appending("lock"), releaseID: mirror.releaseID)
            else { return }
            defer { withExtendedLifetime(lock) {} }
            let builder = try PackageIndexBuilder(for: mirror)
            guard try builder.carryOverAll() else { return }
            try builder.add(package, files: files)
            _ = try builder.publish()
        }
    }

    /// - Throws: ``MirrorFailure`` when the package has no vmlinux of the kernel that crashed.
    private func resolution(with package: IndexedPackage, _ files: [IndexedPath]) throws -> Resolution {
        let (release, architecture) = (source.release, source.architecture)
        let places = source.packaging.vmlinuxPaths(of: release, architecture)
        guard let path = places.first(where: { place in files.contains { $0.path == usrMerged(place) } }),
            let vmlinux = files.first(where: { $0.path == usrMerged(path) })
        else { throw MirrorFailure(.altered, "\(package.nevra) has no vmlinux where the plugin says") }
        let wanted = crash.kernel?.buildID
        if let wanted, let found = vmlinux.buildID, found != wanted {
            throw MirrorFailure(
                .altered, "the vmlinux of \(package.nevra) is another build (\(found)) than the one that crashed")
        }
        let isProved = wanted != nil && vmlinux.buildID == wanted
        let doubt = isProved ? nil : "\(release) was found by the name of \(package.nevra), not by its build-id."
        let modules = source.packaging.modulesDirectory(beside: path, of: release, architecture)
        return Resolution(
            releaseID: source.releaseID, releaseEvidence: resolution.releaseEvidence,
            modules: resolution.modules.map { module in
                ResolvedModule(
                    module: module.module, status: isProved ? .complete : .unverified,
                    debuginfo: PackagedFile(nevra: package.nevra, path: path), reason: doubt)
            },
            packages: [
                ResolvedPackage(
                    nevra: package.nevra, sha256: package.sha256, location: package.location, role: .debuginfo,
                    files: [path] + [modules].compactMap(\.self))
            ],
            remarks: resolution.remarks)
    }
}
