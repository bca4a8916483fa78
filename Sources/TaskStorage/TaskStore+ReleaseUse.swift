package import CrashModel
import GRDB

extension TaskStore {
    /// How many tasks of each release have ended here, whatever became of them.
    ///
    /// - Throws: `DatabaseError`.
    package func useOfReleases() async throws -> [ReleaseID: Int] {
        try await pool.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT release_id, COUNT(*) AS tasks FROM outcome WHERE release_id IS NOT NULL GROUP BY 1")
            var use: [ReleaseID: Int] = [:]
            for row in rows {
                let (name, tasks): (String, Int) = (row["release_id"], row["tasks"])
                if let releaseID = try? ReleaseID(name) { use[releaseID] = tasks }
            }
            return use
        }
    }
}
