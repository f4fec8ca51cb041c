-- A trader of food, of the shape that is known as Northwind; the rows are made up.
CREATE TABLE [Categories] (
  [CategoryID] INTEGER PRIMARY KEY AUTOINCREMENT,
  [CategoryName] TEXT COLLATE NOCASE,
  [Description] TEXT,
  [Picture] BLOB
);
CREATE TABLE [CustomerCustomerDemo] (
  [CustomerID] TEXT NOT NULL,
  [CustomerTypeID] TEXT NOT NULL,
  PRIMARY KEY ([CustomerID], [CustomerTypeID]),
  FOREIGN KEY ([CustomerID]) REFERENCES [Customers] ([CustomerID]) ON DELETE NO ACTION ON UPDATE NO ACTION,
  FOREIGN KEY ([CustomerTypeID]) REFERENCES [CustomerDemographics] ([CustomerTypeID])
);
CREATE TABLE [CustomerDemographics] ([CustomerTypeID] TEXT NOT NULL, [CustomerDesc] TEXT, PRIMARY KEY ([CustomerTypeID]));
CREATE TABLE [Customers] (
  [CustomerID] TEXT,
  [CompanyName] TEXT,
  [ContactName] TEXT,
  [City] TEXT,
  [Country] TEXT DEFAULT 'Germany',
  [Phone] TEXT,
  PRIMARY KEY (`CustomerID`)
);
CREATE TABLE [Employees] (
  [EmployeeID] INTEGER PRIMARY KEY AUTOINCREMENT,
  [LastName] TEXT,
  [FirstName] TEXT,
  [BirthDate] DATE,
  [HireDate] DATE,
  [Photo] BLOB,
  [Notes] TEXT,
  [ReportsTo] INTEGER,
  FOREIGN KEY ([ReportsTo]) REFERENCES [Employees] ([EmployeeID])
);
CREATE TABLE [EmployeeTerritories] (
  [EmployeeID] INTEGER NOT NULL,
  [TerritoryID] TEXT NOT NULL,
  PRIMARY KEY ([EmployeeID], [TerritoryID]),
  FOREIGN KEY ([EmployeeID]) REFERENCES [Employees] ([EmployeeID]),
  FOREIGN KEY ([TerritoryID]) REFERENCES [Territories] ([TerritoryID])
);
CREATE TABLE [Order Details] (
  [OrderID] INTEGER NOT NULL,
  [ProductID] INTEGER NOT NULL,
  [UnitPrice] NUMERIC NOT NULL DEFAULT 0,
  [Quantity] INTEGER NOT NULL DEFAULT 1,
  [Discount] REAL NOT NULL DEFAULT 0,
  PRIMARY KEY ("OrderID", "ProductID"),
  CHECK ([Discount] >= (0) AND [Discount] <= (1)),
  CHECK ([Quantity] > (0)),
  CHECK ([UnitPrice] >= (0)),
  FOREIGN KEY ([OrderID]) REFERENCES [Orders] ([OrderID]),
  FOREIGN KEY ([ProductID]) REFERENCES [Products] ([ProductID])
);
CREATE TABLE [Orders] (
  [OrderID] INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  [CustomerID] TEXT,
  [EmployeeID] INTEGER,
  [OrderDate] DATETIME,
  [ShippedDate] DATETIME,
  [ShipVia] INTEGER,
  [Freight] NUMERIC DEFAULT 0,
  [Ship Address] TEXT,
  [Ship-Country] TEXT,
  FOREIGN KEY ([EmployeeID]) REFERENCES [Employees] ([EmployeeID]) ON DELETE SET NULL,
  FOREIGN KEY ([CustomerID]) REFERENCES [Customers] ([CustomerID]) ON DELETE CASCADE,
  FOREIGN KEY ([ShipVia]) REFERENCES [Shippers] ([ShipperID])
);
CREATE TABLE [Products] (
  [ProductID] INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  [ProductName] TEXT NOT NULL,
  [SupplierID] INTEGER,
  [CategoryID] INTEGER,
  [UnitPrice] NUMERIC DEFAULT 0,
  [UnitsInStock] INTEGER DEFAULT 0,
  [Discontinued] TEXT NOT NULL DEFAULT '0',
  CHECK ([UnitPrice] >= (0)),
  CHECK ([UnitsInStock] >= (0)),
  CHECK (Discontinued IN ('0', '1')),
  FOREIGN KEY ([CategoryID]) REFERENCES [Categories] ([CategoryID]),
  FOREIGN KEY ([SupplierID]) REFERENCES [Suppliers] ([SupplierID])
);
CREATE TABLE [Regions] ([RegionID] INTEGER NOT NULL PRIMARY KEY, [RegionDescription] TEXT NOT NULL);
CREATE TABLE [Shippers] ([ShipperID] INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, [CompanyName] TEXT NOT NULL, [Phone] TEXT);
CREATE TABLE [Suppliers] ([SupplierID] INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, [CompanyName] TEXT NOT NULL, [HomePage] TEXT);
CREATE TABLE [Territories] (
  [TerritoryID] TEXT NOT NULL,
  [TerritoryDescription] TEXT NOT NULL,
  [RegionID] INTEGER NOT NULL,
  PRIMARY KEY ([TerritoryID]),
  FOREIGN KEY ([RegionID]) REFERENCES [Regions] ([RegionID])
);
CREATE UNIQUE INDEX "CategoryName" ON "Categories" ("CategoryName");
CREATE INDEX "Order Date" ON "Orders" ("OrderDate");

INSERT INTO Categories (CategoryName, Description, Picture) VALUES
  ('Beverages', 'Soft drinks, coffees, teas', randomblob(10746)), ('Condiments', 'Sweet and savory sauces', randomblob(2000)),
  ('Confections', 'Desserts', NULL), ('Meat/Poultry', 'Prepared meats', x'');
INSERT INTO Categories (CategoryID, CategoryName) VALUES (20, 'Gone');
DELETE FROM Categories WHERE CategoryID = 20;
INSERT INTO Customers VALUES ('ALFKI', 'Alfreds Futterkiste', 'Maria Anders', 'Berlin', 'Germany', '030-0074321'),
  ('ANATR', 'Ana Trujillo Emparedados', 'Ana Trujillo', 'México D.F.', 'Mexico', '(5) 555-4729'),
  ('BERGS', 'Berglunds snabbköp', 'Christina Berglund', 'Luleå', 'Sweden', NULL),
  ('BLONP', 'Blondesddsl père et fils', 'Frédérique Citeaux', 'Strasbourg', NULL, '88.60.15.31');
INSERT INTO CustomerDemographics VALUES ('GOLD', 'Buys much'), ('NEW', NULL);
INSERT INTO CustomerCustomerDemo VALUES ('ALFKI', 'GOLD'), ('ALFKI', 'NEW'), ('BERGS', 'NEW');
INSERT INTO Employees (LastName, FirstName, BirthDate, HireDate, Photo, Notes, ReportsTo) VALUES
  ('Fuller', 'Andrew', '1952-02-19', '1992-08-14', randomblob(21626), 'Ph.D. in marketing', NULL),
  ('Davolio', 'Nancy', '1948-12-08', '1992-05-01', randomblob(21626), NULL, 1),
  ('Leverling', 'Janet', NULL, '1992-04-01', NULL, 'BS degree', 1);
INSERT INTO Regions VALUES (1, 'Eastern'), (2, 'Western');
INSERT INTO Territories VALUES ('01581', 'Westboro', 1), ('01730', 'Bedford', 1), ('98052', 'Redmond', 2);
INSERT INTO EmployeeTerritories VALUES (1, '01581'), (1, '98052'), (2, '01730');
INSERT INTO Shippers (CompanyName, Phone) VALUES ('Speedy Express', '(503) 555-9831'), ('United Package', NULL);
INSERT INTO Suppliers (CompanyName, HomePage) VALUES ('Exotic Liquids', NULL), ('Cooperativa de Quesos ''Las Cabras''', '#http://example.com#');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 77)
INSERT INTO Products (ProductName, SupplierID, CategoryID, UnitPrice, UnitsInStock, Discontinued)
SELECT 'Product ' || i || CASE WHEN i = 5 THEN ' 🧀' ELSE '' END, 1 + i % 2, 1 + i % 4, CASE WHEN i % 5 = 0 THEN i ELSE i + 0.45 END, i % 40,
  CASE WHEN i % 11 = 0 THEN 1 ELSE 0 END FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 830)
INSERT INTO Orders (OrderID, CustomerID, EmployeeID, OrderDate, ShippedDate, ShipVia, Freight, [Ship Address], [Ship-Country])
SELECT 10247 + i, CASE i % 5 WHEN 0 THEN 'ALFKI' WHEN 1 THEN 'ANATR' WHEN 2 THEN 'BERGS' WHEN 3 THEN 'BLONP' END,
  1 + i % 3, date('1996-07-04', '+' || i || ' days'), CASE WHEN i % 13 = 0 THEN NULL ELSE date('1996-07-04', '+' || (i + 7) || ' days') END,
  1 + i % 2, i * 0.25, 'Street ' || i, CASE WHEN i % 2 = 0 THEN 'Germany' END FROM n;
INSERT INTO [Order Details] SELECT o.OrderID, p.ProductID, p.UnitPrice, 1 + (o.OrderID + p.ProductID) % 30, CASE WHEN o.OrderID % 4 = 0 THEN 0.15 ELSE 0 END
  FROM Orders o JOIN Products p ON (o.OrderID * 7 + p.ProductID) % 30 = 0;
CREATE VIEW [Current Product List] AS SELECT ProductID, ProductName FROM Products WHERE Discontinued = '0';
CREATE VIEW [Order Subtotals] AS SELECT [Order Details].OrderID, Sum([Order Details].UnitPrice * Quantity * (1 - Discount) / 100) * 100 AS Subtotal
  FROM [Order Details] GROUP BY [Order Details].OrderID;
CREATE VIEW [Orders Qry] AS SELECT Orders.OrderID, Orders.OrderDate, Customers.CompanyName
  FROM Customers INNER JOIN Orders ON Customers.CustomerID = Orders.CustomerID;
