/// Every query of an index; each is answered by a search in a table or an index, whatever the size.
enum PackageIndexQueries {
    static let filesByBuildID = """
        SELECT b.path, b.kind, b.build_id, b.target, p.* FROM build_ids b JOIN packages p ON p.id = b.package
        WHERE b.build_id = ? LIMIT 1000
        """
    static let filesByPath = """
        SELECT f.path, f.kind, f.build_id, f.target, p.* FROM paths f JOIN packages p ON p.id = f.package
        WHERE f.path = ? LIMIT 1000
        """
    static let companions = """
        SELECT f.path, f.kind, f.build_id, f.target, p.* FROM packages p JOIN paths f ON f.package = p.id
        WHERE p.sha256 = ? AND f.kind >= 5 LIMIT 1000
        """
    static let packagesByName = "SELECT * FROM packages WHERE name = ? LIMIT 1000"
    static let packagesBySource = "SELECT * FROM packages WHERE source_name = ? AND source_version = ? LIMIT 1000"
    static let packagesByChecksum = "SELECT * FROM packages WHERE sha256 = ?"

    static let offer = "SELECT offered_by, offered_path FROM packages WHERE sha256 = ?"

    static let all = [
        offer, filesByBuildID, filesByPath, companions, packagesByName, packagesBySource, packagesByChecksum,
    ]
}
