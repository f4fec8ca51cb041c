-- A shop of music, of the shape that is known as Chinook; the rows are made up.
CREATE TABLE [Artist] (
  [ArtistId] INTEGER NOT NULL,
  [Name] NVARCHAR(120),
  CONSTRAINT [PK_Artist] PRIMARY KEY ([ArtistId])
);
CREATE TABLE [Album] (
  [AlbumId] INTEGER NOT NULL,
  [Title] NVARCHAR(160) NOT NULL,
  [ArtistId] INTEGER NOT NULL,
  CONSTRAINT [PK_Album] PRIMARY KEY ([AlbumId]),
  FOREIGN KEY ([ArtistId]) REFERENCES [Artist] ([ArtistId])
    ON DELETE NO ACTION ON UPDATE NO ACTION
);
CREATE TABLE [Genre] ([GenreId] INTEGER NOT NULL PRIMARY KEY, [Name] NVARCHAR(120));
CREATE TABLE [MediaType] ([MediaTypeId] INTEGER NOT NULL PRIMARY KEY, [Name] NVARCHAR(120));
CREATE TABLE [Track] (
  [TrackId] INTEGER NOT NULL,
  [Name] NVARCHAR(200) NOT NULL,
  [AlbumId] INTEGER,
  [MediaTypeId] INTEGER NOT NULL,
  [GenreId] INTEGER,
  [Composer] NVARCHAR(220),
  [Milliseconds] INTEGER NOT NULL,
  [Bytes] INTEGER,
  [UnitPrice] NUMERIC(10,2) NOT NULL,
  CONSTRAINT [PK_Track] PRIMARY KEY ([TrackId]),
  FOREIGN KEY ([AlbumId]) REFERENCES [Album] ([AlbumId]),
  FOREIGN KEY ([GenreId]) REFERENCES [Genre] ([GenreId]),
  FOREIGN KEY ([MediaTypeId]) REFERENCES [MediaType] ([MediaTypeId])
);
CREATE TABLE [Employee] (
  [EmployeeId] INTEGER NOT NULL PRIMARY KEY,
  [LastName] NVARCHAR(20) NOT NULL,
  [FirstName] NVARCHAR(20) NOT NULL,
  [Title] NVARCHAR(30),
  [ReportsTo] INTEGER,
  [BirthDate] DATETIME,
  [HireDate] DATETIME,
  [Country] NVARCHAR(40),
  [Email] NVARCHAR(60),
  FOREIGN KEY ([ReportsTo]) REFERENCES [Employee] ([EmployeeId])
);
CREATE TABLE [Customer] (
  [CustomerId] INTEGER NOT NULL PRIMARY KEY,
  [FirstName] NVARCHAR(40) NOT NULL,
  [LastName] NVARCHAR(20) NOT NULL,
  [Company] NVARCHAR(80),
  [Country] NVARCHAR(40),
  [Email] NVARCHAR(60) NOT NULL,
  [SupportRepId] INTEGER,
  FOREIGN KEY ([SupportRepId]) REFERENCES [Employee] ([EmployeeId])
);
CREATE TABLE [Invoice] (
  [InvoiceId] INTEGER NOT NULL PRIMARY KEY,
  [CustomerId] INTEGER NOT NULL,
  [InvoiceDate] DATETIME NOT NULL,
  [BillingCountry] NVARCHAR(40),
  [Total] NUMERIC(10,2) NOT NULL,
  FOREIGN KEY ([CustomerId]) REFERENCES [Customer] ([CustomerId])
);
CREATE TABLE [InvoiceLine] (
  [InvoiceLineId] INTEGER NOT NULL PRIMARY KEY,
  [InvoiceId] INTEGER NOT NULL,
  [TrackId] INTEGER NOT NULL,
  [UnitPrice] NUMERIC(10,2) NOT NULL,
  [Quantity] INTEGER NOT NULL,
  FOREIGN KEY ([InvoiceId]) REFERENCES [Invoice] ([InvoiceId]),
  FOREIGN KEY ([TrackId]) REFERENCES [Track] ([TrackId])
);
CREATE TABLE [Playlist] ([PlaylistId] INTEGER NOT NULL PRIMARY KEY, [Name] NVARCHAR(120));
CREATE TABLE [PlaylistTrack] (
  [PlaylistId] INTEGER NOT NULL,
  [TrackId] INTEGER NOT NULL,
  CONSTRAINT [PK_PlaylistTrack] PRIMARY KEY ([PlaylistId], [TrackId]),
  FOREIGN KEY ([PlaylistId]) REFERENCES [Playlist] ([PlaylistId]),
  FOREIGN KEY ([TrackId]) REFERENCES [Track] ([TrackId])
);
CREATE UNIQUE INDEX [IPK_PlaylistTrack] ON [PlaylistTrack] ([PlaylistId], [TrackId]);
CREATE INDEX [IFK_AlbumArtistId] ON [Album] ([ArtistId]);
CREATE INDEX [IFK_TrackAlbumId] ON [Track] ([AlbumId]);
CREATE INDEX [IDX_TrackName] ON [Track] ([Name]);
CREATE INDEX [IDX_InvoiceCountryDate] ON [Invoice] ([BillingCountry], [InvoiceDate] DESC);

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO Artist SELECT i, CASE WHEN i = 7 THEN NULL WHEN i % 5 = 0 THEN 'Motörhead ' || i ELSE 'The ' || i || '. Band' END FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90)
INSERT INTO Album SELECT i, 'Album "' || i || '" (Disc ' || (i % 3) || ')', 1 + (i * 7) % 40 FROM n;
INSERT INTO Genre VALUES (1, 'Rock'), (2, 'Jazz'), (3, 'Metal'), (4, 'Alternative & Punk'), (5, 'Bossa Nova');
INSERT INTO MediaType VALUES (1, 'MPEG audio file'), (2, 'Protected AAC audio file');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO Track SELECT i, 'Track ' || i, CASE WHEN i % 50 = 0 THEN NULL ELSE 1 + i % 90 END, 1 + i % 2,
  CASE WHEN i % 33 = 0 THEN NULL ELSE 1 + i % 5 END, CASE WHEN i % 3 = 0 THEN NULL ELSE 'A. Young, M. Jung & Ä. Ölm' END,
  100000 + i * 37, CASE WHEN i = 999 THEN 9007199254740991 ELSE i * 1021 END, CASE WHEN i % 4 = 0 THEN 1.99 WHEN i % 9 = 0 THEN 1 ELSE 0.99 END FROM n;
INSERT INTO Employee VALUES
  (1, 'Adams', 'Andrew', 'General Manager', NULL, '1962-02-18 00:00:00', '2002-08-14 00:00:00', 'Canada', 'andrew@example.com'),
  (2, 'Edwards', 'Nancy', 'Sales Manager', 1, '1958-12-08 00:00:00', '2002-05-01 00:00:00', 'Canada', 'nancy@example.com'),
  (3, 'Peacock', 'Jane', 'Sales Support Agent', 2, '1973-08-29 00:00:00', '2002-04-01 00:00:00', 'Canada', 'jane@example.com'),
  (4, 'Park', 'Margaret', 'Sales Support Agent', 2, NULL, '2003-05-03 00:00:00', NULL, NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 59)
INSERT INTO Customer SELECT i, 'Luís' || i, 'Gonçalves', CASE WHEN i % 4 = 0 THEN 'Embraer ' || i END,
  CASE i % 3 WHEN 0 THEN 'Brazil' WHEN 1 THEN 'USA' ELSE 'Czech Republic' END, 'c' || i || '@example.com', 3 + i % 2 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 412)
INSERT INTO Invoice SELECT i, 1 + i % 59, datetime('2009-01-01', '+' || (i * 4) || ' days'),
  CASE i % 3 WHEN 0 THEN 'Brazil' WHEN 1 THEN 'USA' ELSE NULL END, round(0.99 * (1 + i % 14), 2) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2240)
INSERT INTO InvoiceLine SELECT i, 1 + i % 412, 1 + (i * 13) % 1000, 0.99, 1 + i % 3 FROM n;
INSERT INTO Playlist VALUES (1, 'Music'), (2, 'Movies'), (3, '90’s Music'), (8, 'Music');
INSERT INTO PlaylistTrack SELECT 1, TrackId FROM Track;
INSERT INTO PlaylistTrack SELECT 3, TrackId FROM Track WHERE TrackId % 7 = 0;
INSERT INTO PlaylistTrack SELECT 8, TrackId FROM Track WHERE TrackId % 2 = 0;
CREATE VIEW [Long Tracks] AS SELECT TrackId, Name, Milliseconds FROM Track
  WHERE Milliseconds >= 130000 ORDER BY Milliseconds DESC, Name;
CREATE VIEW [AlbumsOfArtists] AS SELECT a.Title, r.Name FROM Album a JOIN Artist r ON r.ArtistId = a.ArtistId;
