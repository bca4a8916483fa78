import GRDB

extension TaskStore {
    /// The statistics of `/stats`; how long each list is, is upstream's.
    ///
    /// - Parameter microseconds: Now, in microseconds since the epoch.
    package func statistics(microseconds: Int64) async throws -> Statistics {
        try await pool.read { db in
            let counts = try Row.fetchOne(
                db,
                sql: """
                    SELECT count(*) FILTER (WHERE state = 'FINISHED_SUCCESS'),
                        count(*) FILTER (WHERE state = 'FINISHED_FAILURE'), min(created),
                        (SELECT coalesce(sum(count), 0) FROM denial)
                    FROM outcome
                    """)
            func list(_ sql: String) throws -> [Statistics.Count] {
                try Row.fetchAll(db, sql: sql).map { Statistics.Count(name: $0[0], more: $0[1], count: $0[2]) }
            }
            return Statistics(
                success: counts?[0] ?? 0, failure: counts?[1] ?? 0, denied: counts?[3] ?? 0, first: counts?[2],
                architectures: try list(
                    """
                    SELECT architecture, NULL, count(*) FROM outcome WHERE architecture IS NOT NULL
                    GROUP BY architecture ORDER BY 3 DESC, 1
                    """),
                releases: try list(
                    """
                    SELECT substr(release_id, 1, length(release_id) - length(architecture) - 1), NULL, count(*)
                    FROM outcome WHERE release_id IS NOT NULL GROUP BY 1 ORDER BY 3 DESC, 1
                    """),
                packages: try list(
                    """
                    SELECT package, NULL, count(*) FROM outcome WHERE package IS NOT NULL
                    GROUP BY package ORDER BY 3 DESC, 1 LIMIT 37
                    """),
                requiredPackages: try list(
                    """
                    SELECT name, CAST(count(DISTINCT version) AS TEXT), count(*) FROM outcome_package
                    WHERE name NOT LIKE '%-debuginfo' GROUP BY name ORDER BY 3 DESC, 1 LIMIT 32
                    """),
                missingBuildIDs: try list(
                    """
                    SELECT min(file), min(build_id), count(*) FROM outcome_build_id
                    GROUP BY CASE build_id WHEN '-' THEN file ELSE build_id END ORDER BY 3 DESC, 1 LIMIT 20
                    """),
                days: try Row.fetchAll(
                    db,
                    sql: """
                        SELECT finished / 86400000000, count(*) FILTER (WHERE state = 'FINISHED_SUCCESS'),
                            count(*) FILTER (WHERE state = 'FINISHED_FAILURE')
                        FROM outcome WHERE finished / 86400000000 > ? - 30 GROUP BY 1 ORDER BY 1
                        """, arguments: [microseconds / 86_400_000_000]
                ).map { Statistics.Day(day: $0[0], success: $0[1], failure: $0[2]) })
        }
    }
}
