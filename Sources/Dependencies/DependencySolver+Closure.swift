import CSolv
import CrashModel

extension DependencySolver {
    /// What would be installed into an empty root for these packages: they and all that they depend on, however far.
    ///
    /// Recommended and suggested packages are left out. Where several versions are there, the newest that can be
    /// installed wins. Packages that Debian calls essential come only if something depends on them.
    ///
    /// - Parameter names: `name`, or `name=version` with the whole version (`3.11.2-6+deb12u9`, `1:4.4.33-2`) to have
    ///   that one and no other. A name that no package has but some provide (a virtual package) works as well.
    /// - Returns: Every package once, by name.
    /// - Throws: ``DependencyError``: unknown names and versions, and libsolv's sentences if there is no solution.
    package func closure(of names: [String]) throws(DependencyError) -> [SolvedPackage] {
        var jobs = Queue()
        queue_init(&jobs)
        defer { queue_free(&jobs) }
        for name in names {
            let job = try self.job(for: name)
            queue_push2(&jobs, job.how, job.what)
        }
        guard let solver = solver_create(pool) else { throw .unsolvable(problems: ["libsolv has no solver to give"]) }
        defer { solver_free(solver) }
        solver_set_flag(solver, SOLVER_FLAG_IGNORE_RECOMMENDED, 1)
        guard solver_solve(solver, &jobs) == 0 else { throw .unsolvable(problems: problems(of: solver)) }
        guard let transaction = solver_create_transaction(solver) else {
            throw .unsolvable(problems: ["libsolv has a solution and does not tell it"])
        }
        defer { transaction_free(transaction) }
        var installed = Queue()
        queue_init(&installed)
        defer { queue_free(&installed) }
        transaction_installedresult(transaction, &installed)
        let ids = Array(UnsafeBufferPointer(start: installed.elements, count: Int(installed.count)))
        var packages: [SolvedPackage] = []
        packages.reserveCapacity(ids.count)
        for id in ids { packages.append(try package(id)) }
        return packages.sorted { ($0.nevra.name, $0.nevra.architecture) < ($1.nevra.name, $1.nevra.architecture) }
    }

    private func job(for name: String) throws(DependencyError) -> (how: Id, what: Id) {
        let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let package = String(parts[0])
        guard !package.isEmpty else { throw .unknownPackage(name) }
        let id = pool_str2id(pool, package, 0)
        let isName = id != 0 && retrace_is_package_name(pool, id) != 0
        guard parts.count == 2 else {
            if isName { return (SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, id) }
            guard id != 0, retrace_is_provided(pool, id) != 0 else { throw .unknownPackage(name) }
            return (SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, id)
        }
        guard isName else { throw .unknownPackage(package) }
        let version = pool_str2id(pool, String(parts[1]), 1)
        let pinned = pool_rel2id(pool, id, version, REL_EQ, 1)
        guard retrace_is_provided(pool, pinned) != 0 else {
            throw .unknownVersion(package: package, version: String(parts[1]))
        }
        return (SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, pinned)
    }

    private func problems(of solver: UnsafeMutablePointer<Solver>) -> [String] {
        var sentences: [String] = []
        var problem = solver_next_problem(solver, 0)
        while problem != 0 {
            if let sentence = solver_problem2str(solver, problem) {
                sentences.append(String(cString: sentence))
            }
            problem = solver_next_problem(solver, problem)
        }
        return sentences.isEmpty ? ["libsolv found no solution and no reason"] : sentences
    }

    func package(_ id: Id) throws(DependencyError) -> SolvedPackage {
        guard let solvable = retrace_solvable(pool, id) else { throw .malformedPackage("number \(id)") }
        let name = text(solvable.pointee.name)
        let version = text(solvable.pointee.evr)
        let nevra: NEVRA
        do {
            // rpm's epoch:version-release is written as dpkg's epoch:version-revision is.
            nevra = try NEVRA(name: name, debianVersion: version, architecture: text(solvable.pointee.arch))
        } catch {
            throw .malformedPackage("\(error)")
        }
        guard let location = solvable_get_location(solvable, nil) else {
            throw .malformedPackage("\(nevra) has no location")
        }
        var type: Id = 0
        let checksum = solvable_lookup_checksum(solvable, Id(bitPattern: SOLVABLE_CHECKSUM.rawValue), &type)
        return SolvedPackage(
            nevra: nevra, location: String(cString: location),
            sha256: type == Id(bitPattern: REPOKEY_TYPE_SHA256.rawValue) ? checksum.map { String(cString: $0) } : nil)
    }

    private func text(_ id: Id) -> String {
        pool_id2str(pool, id).map { String(cString: $0) } ?? ""
    }
}
